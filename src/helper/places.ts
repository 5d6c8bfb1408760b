/** Where the root-owned parts of an installation are, below the root of the system's files. */

/** Words of the conversation: docs/helper.md. */
export const helperName = "localhostess-helper";
export const hostsHelperName = "localhostess-hosts";

/** The folders that may hold the two programs: a package's own first, then that of `localhostess setup`. */
export const helperFolders = [
  "/usr/libexec/localhostess",
  "/usr/local/libexec/localhostess",
] as const;

/** Root's own: who may use which helper, and for which domains names are written. */
export const rootFolder = "/etc/localhostess";
export const usersFile = `${rootFolder}/users`;
export const domainsFile = `${rootFolder}/domains`;
/** Whoever writes the hosts file holds a lock on it, flock(2). */
export const hostsLock = `${rootFolder}/hosts.lock`;

/** The exit codes of both programs. */
export const helperExit = {
  done: 0,
  /** The system refused a call; stderr has one line. */
  failed: 1,
  /** The caller may not, or asks for what is not offered. */
  refused: 2,
  /** The program is of another version than its caller; stdout has its own. */
  version: 3,
} as const;

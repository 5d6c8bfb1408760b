/** Lines of shell -> the words of one command that runs them as root, and nothing of the caller's with them. Pure. */

/** Where root's programs are. */
export const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The exit code of a script in which a command has failed: sudo's own are others. */
export const failedCode = 97;

/** Ends with the first command that fails. */
export const preamble: readonly string[] = [
  "set -eu; umask 022; cd /",
  `trap '[ $? -eq 0 ] || exit ${failedCode}' EXIT`,
];

export type RootCommandOptions = {
  /** The path of sudo; undefined: the caller is root. */
  sudo: string | undefined;
  /** Somebody is there who can type a password. */
  mayAsk: boolean;
};

export function rootCommand(
  lines: readonly string[],
  { sudo, mayAsk }: RootCommandOptions,
): [string, ...string[]] {
  const script = [...preamble, ...lines].join("\n");
  const words: [string, ...string[]] = [
    "/usr/bin/env",
    "-i",
    `PATH=${systemPath}`,
    "/bin/sh",
    "-c",
    script,
  ];
  if (sudo === undefined) return words;
  return [sudo, ...(mayAsk ? [] : ["-n"]), "--", ...words];
}

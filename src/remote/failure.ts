/** How ssh ended -> what that means for the next attempt, and sentences for a person. Pure. */
import { printable } from "../text/printable.ts";
import type { Event } from "./states.ts";

export type Failure = {
  event: Extract<Event, "silent" | "lost" | "denied">;
  /** A clause: `box does not let us in`. */
  why: string;
  /** A clause: what a person can do; undefined: nothing but wait. */
  fix: string | undefined;
};

export type Ending = {
  /** The remote's name, and its host for ssh. */
  name: string;
  host: string;
  /** The exit code; undefined: a signal. 255 is ssh's own, all others are those of the command there. */
  code: number | undefined;
  /** The last that ssh has said. */
  errors: string;
  /** The session there has spoken. */
  heard: boolean;
};

/** Characters of ssh's own words in a sentence. */
const longestWords = 300;

type Rule = {
  pattern: RegExp;
  event: Failure["event"];
  why: string;
  fix?(ending: Ending): string;
};

const retry = ({ name }: Ending): string => `then: localhostess remote retry ${name}`;

/** The first that fits counts. OpenSSH's messages are not translated. */
const rules: readonly Rule[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    event: "denied",
    why: "the host key is another than before, so that this may be another machine",
    fix: (its) =>
      `if you know why it has changed, follow what is said by: ssh ${its.host}, ${retry(its)}`,
  },
  {
    pattern: /Host key verification failed|No \S+ host key is known|host key .*revoked/i,
    event: "denied",
    why: "its host key is not known here",
    fix: (its) => `run once, and compare the key it shows: ssh ${its.host}, ${retry(its)}`,
  },
  {
    pattern: /Too many authentication failures/,
    event: "denied",
    why: "it refuses us after too many keys were offered",
    fix: (its) =>
      `set IdentityFile and IdentitiesOnly for it in ~/.ssh/config, try: ssh ${its.host}, ${retry(its)}`,
  },
  {
    pattern: /Permission denied|no more authentication methods|No supported authentication/,
    event: "denied",
    why: "it does not let us in: ssh has no key that it takes, and nobody is asked for a password",
    fix: (its) =>
      `ssh-add the key, or set IdentityFile in ~/.ssh/config, until this asks nothing: ssh -o BatchMode=yes ${its.host} true, ${retry(its)}`,
  },
  {
    pattern: /Bad configuration option|Bad owner or permissions|terminating, \d+ bad configuration/,
    event: "denied",
    why: "ssh cannot read its configuration",
    fix: (its) => `see what is wrong with: ssh ${its.host}, ${retry(its)}`,
  },
  {
    pattern: /Could not resolve hostname/,
    event: "lost",
    why: "its host name is not known on this network",
    fix: (its) => `see whether this finds it: ssh ${its.host}`,
  },
  {
    pattern:
      /timed out|Timeout, server .* not responding|No route to host|Network is unreachable|Host is (?:down|unreachable)/i,
    event: "silent",
    why: "nothing comes back from it: it may be asleep, off, or out of reach",
  },
  {
    pattern: /Connection refused/,
    event: "lost",
    why: "nothing takes ssh connections there",
    fix: (its) => `see whether its sshd runs, and its port is right: ssh ${its.host}`,
  },
];

/** The last line that ssh has said, which is its reason. */
function lastLine(errors: string): string {
  const lines = errors.split(/\r?\n/).filter((line) => line.trim() !== "");
  return printable((lines.at(-1) ?? "").trim().replace(/^ssh: /, ""), longestWords);
}

export function failureOf(ending: Ending): Failure {
  const { code, errors, heard } = ending;
  const said = lastLine(errors);
  const quoted = said === "" ? "" : ` (ssh: ${said})`;
  const rule = rules.find(({ pattern }) => pattern.test(errors));
  // A session that has spoken was let in, so that what ended it is no refusal.
  if (rule !== undefined && !(heard && rule.event === "denied")) {
    const { event, why, fix } = rule;
    return { event, why: `${why}${quoted}`, fix: fix?.(ending) };
  }
  if (!heard && code !== undefined && code !== 255) {
    return {
      event: "denied",
      why: `it let us in, and runs no sh: the command there ended with ${code}${quoted}`,
      fix: `this should print "ok": ssh ${ending.host} 'echo echo ok | sh', ${retry(ending)}`,
    };
  }
  const why = heard ? "the connection ended" : "the connection did not come about";
  return { event: "lost", why: `${why}${quoted}`, fix: undefined };
}

/** ssh itself could not be started. */
export function withoutSsh(name: string, error: NodeJS.ErrnoException): Failure {
  return error.code === "ENOENT"
    ? {
        event: "denied",
        why: "there is no ssh in the PATH of the daemon",
        fix: `install OpenSSH's client, then: localhostess remote retry ${name}`,
      }
    : {
        event: "lost",
        why: `ssh could not be started: ${printable(error.message, longestWords)}`,
        fix: undefined,
      };
}

/** Seconds without a word. */
export function silence(seconds: number, { heard }: { heard: boolean }): Failure {
  const what = heard ? "nothing comes back from it any more" : "nothing comes back from it";
  return {
    event: "silent",
    why: `${what} (${seconds} s): it may be asleep, off, or out of reach`,
    fix: undefined,
  };
}

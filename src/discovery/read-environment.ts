/** The bytes of `/proc/<pid>/environ` -> the few variables that we need, as far as they are still there. Pure. */
import { portIn } from "../routes/pick-port.ts";
import { sought, valueIn } from "../system/environment-value.ts";

export type Variables = {
  /** `LOCALHOSTESS_NAME`, or else `NAME`. An empty variable counts as not set, unless there is no other. */
  name: string | undefined;
  variable: "LOCALHOSTESS_NAME" | "NAME" | undefined;
  /** `PORT`. */
  wantedPort: number | undefined;
  /** The program has written its title over them, or over a part of them. */
  overwritten: boolean;
};

const ownName = sought("LOCALHOSTESS_NAME");
const plainName = sought("NAME");
const port = sought("PORT");

/** The variables that are read; of all others, nothing is kept. */
export const variableNames = ["LOCALHOSTESS_NAME", "NAME", "PORT"] as const;

/** `titled`: the program's title is known to go on in its environment, whatever that looks like. */
export function readEnvironment(
  environment: Buffer,
  { titled = false }: { titled?: boolean } = {},
): Variables {
  const overwritten = titled || isOverwritten(environment);
  const rest = overwritten ? behindTitle(environment) : environment;
  const supervised = valueIn(rest, ownName);
  const name = supervised || valueIn(rest, plainName);
  return {
    name,
    variable: name ? (supervised ? "LOCALHOSTESS_NAME" : "NAME") : undefined,
    wantedPort: portIn(valueIn(rest, port)),
    overwritten,
  };
}

/**
 * Whether the memory that the environment once was in is not one any more: the kernel shows the memory itself, which
 * nginx, Puma, PostgreSQL, gunicorn and others use for their titles, and fill with zeros or spaces after them. A new
 * program's has variables only, each of which ends in one zero.
 */
function isOverwritten(environment: Buffer): boolean {
  return environment.length > 0 && (!beginsWithName(environment) || environment.includes(zeros));
}

const zeros = Buffer.from([0, 0]);
const equals = 0x3d;
const space = 0x20;

/** Without a string: every process of the machine is looked at. */
function beginsWithName(environment: Buffer): boolean {
  for (let at = 0; at < environment.length; at++) {
    const octet = environment[at]!;
    if (octet === equals) return at > 0;
    if (octet <= space) return false;
  }
  return false;
}

/**
 * Variables that the title has not reached. The first thing behind its zeros may be the end of one that it has cut:
 * `NAME=desk` of `HOSTNAME=desk`.
 */
function behindTitle(environment: Buffer): Buffer {
  let at = environment.indexOf(0);
  if (at === -1) return environment.subarray(environment.length);
  while (environment[at] === 0) at++;
  const next = environment.indexOf(0, at);
  return environment.subarray(next === -1 ? environment.length : next + 1);
}

/** A server that runs and that no name leads to -> which process it is, why, and the command that helps. Pure. */
import { labelFrom } from "../manifest/project-name.ts";
import { cut } from "../text/cut.ts";
import { pastedWord } from "../text/shell-words.ts";

/** Why no name leads to a server. */
export type Fault =
  | { kind: "no name" }
  /** The program has written its title over its environment, and a NAME in it with that. */
  | { kind: "overwritten" }
  /** The system shows no environment of it: it is empty, or the program is one that the system protects. */
  | { kind: "unreadable" }
  /** A file that the program itself has read has a NAME; its environment as the system knows it has none. */
  | { kind: "in a file"; name: string; file: string }
  /** `wrong`: what is wrong with it, as a clause. `near`: the nearest name that can be used. */
  | { kind: "bad name"; name: string; wrong: string; near: string | undefined }
  /** WSL sets NAME to the computer's name, for every program. */
  | { kind: "computer's name"; name: string }
  /** Many unrelated programs have it. */
  | { kind: "common name"; name: string };

export type Unusable = {
  pid: number;
  /** Milliseconds since the Unix epoch. */
  startedAt: number;
  /** The port that serves the application, and all of them. */
  port: number;
  ports: readonly number[];
  /** Its command line and its working directory, printable. */
  command: string;
  cwd: string | undefined;
  /** The command that starts it, as typed in its folder; undefined where its command line does not tell. */
  typed: string | undefined;
  /** A name that it could have, which no server has yet. */
  suggested: string;
  fault: Fault;
};

/** A NAME that nobody can read any more; another one would be lost too. */
export function isLost({ kind }: Fault): boolean {
  return kind === "overwritten" || kind === "unreadable";
}

/** Characters of a command that are shown in a sentence. */
const longestCommand = 80;

function portsText({ port, ports }: Unusable): string {
  const others = ports.length - 1;
  return others === 0 ? `port ${port}` : `port ${port} and ${others} more`;
}

/** `pid 17 (bun server.ts) listens on port 3000 in /srv/api`. */
function whichText(its: Unusable): string {
  const place = its.cwd === undefined ? "" : ` in ${its.cwd}`;
  return `pid ${its.pid} (${cut(its.command, longestCommand)}) listens on ${portsText(its)}${place}`;
}

/** A clause: which process it is, and why no name leads to it. */
export function faultText(its: Unusable): string {
  const { fault } = its;
  const which = whichText(its);
  switch (fault.kind) {
    case "no name":
      return `${which}, and has no NAME in its environment`;
    case "overwritten":
      return `${which}, and has written its title over its environment, so that its NAME cannot be read, whatever it was`;
    case "unreadable":
      return `${which}, and the system shows no environment of it, so that its NAME cannot be read, if it has one`;
    case "in a file":
      return `${which}; its NAME=${fault.name} is only in ${fault.file}, which the program reads by itself, so that no other program sees it`;
    case "bad name":
      return `${which}, and its NAME=${fault.name} is not a usable name: ${fault.wrong}`;
    case "common name":
      return `${which}, and its NAME=${fault.name} is one that unrelated programs have, as if a shell profile exported it`;
    case "computer's name":
      return `${which}, and its NAME=${fault.name} is this computer's name, which Windows sets for every program`;
  }
}

/** The name that the command gives it. */
function nameFor({ fault, suggested }: Unusable): string {
  if (fault.kind === "in a file") return fault.name;
  return fault.kind === "bad name" ? (fault.near ?? suggested) : suggested;
}

/**
 * The command that gives it a name: `NAME=api bun server.ts`, to be typed in its folder. A program that overwrites its
 * environment would do so again, and the command line of another user's is not to be pasted: those are named by their
 * port.
 */
export function namingCommand(its: Unusable): string {
  const name = pastedWord(nameFor(its));
  return isNamedByPort(its) ? `localhostess name ${name} ${its.port}` : `NAME=${name} ${its.typed}`;
}

export function isNamedByPort({ fault, typed }: Unusable): boolean {
  return isLost(fault) || typed === undefined;
}

/** A clause: what to do. */
export function remedyText(its: Unusable): string {
  const command = namingCommand(its);
  return isNamedByPort(its)
    ? `to name what listens there: ${command}`
    : `start it again with: ${command}`;
}

/** A sentence, without its end. */
export function unusableText(its: Unusable): string {
  return `${faultText(its)}; ${remedyText(its)}`;
}

/** A process that has a name, and no port that could be dialled. */
export type Silent = Pick<Unusable, "pid" | "command" | "cwd"> & { name: string };

/** A clause: which process it is, and why the name leads nowhere. */
export function silentText({ pid, command, cwd, name }: Silent): string {
  const place = cwd === undefined ? "" : ` in ${cwd}`;
  return `pid ${pid} (${cut(command, longestCommand)}) runs${place} with NAME=${name}, and listens on no TCP port of this machine`;
}

/** A clause: what to do. */
export const silentRemedy =
  "it may still be starting, or have failed to listen: see its output; a port in a container, or a unix socket, is not seen";

/** A clause for lists of servers without a name: the file that people expect to be read. */
export const dotenvText =
  "a name is the NAME in a program's environment when it is started, in .env alone it is not seen";

/** The rest of it, unless no names are inferred. */
export const folderText = "; or that of the project in its folder";

/** Whether the server was probably meant by a name that leads nowhere: its own, or that of its folder. */
function isMeantBy(name: string, its: Unusable): boolean {
  const { fault } = its;
  const first = name.split(".")[0]!;
  switch (fault.kind) {
    case "bad name":
      return [fault.name.toLowerCase(), fault.near, labelFrom(fault.name)].some(
        (own) => own === name || own === first,
      );
    case "in a file":
      return fault.name.toLowerCase() === name;
    // Its name is not known, so that it may be any.
    case "overwritten":
    case "unreadable":
      return true;
    case "common name":
      return fault.name.toLowerCase() === name || isFolderOf(name, its);
    case "no name":
    case "computer's name":
      return isFolderOf(name, its);
  }
}

function folderName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The surest first. */
const sureness: readonly Fault["kind"][] = [
  "in a file",
  "bad name",
  "no name",
  "common name",
  "computer's name",
  "overwritten",
  "unreadable",
];

/**
 * Those that were probably meant by a name that leads nowhere, the surest first, and of those as sure the latest, which
 * somebody has just started. One whose name is not known may be any, and is meant only where nothing else is. `name` is
 * lower case.
 */
export function meantBy(name: string, all: readonly Unusable[]): Unusable[] {
  const rank = (its: Unusable): number => sureness.indexOf(its.fault.kind);
  const found = all.filter((its) => isMeantBy(name, its));
  const sure = found.filter((its) => !isLost(its.fault) || isFolderOf(name, its));
  return (sure.length > 0 ? sure : found).sort(
    (a, b) => rank(a) - rank(b) || b.startedAt - a.startedAt,
  );
}

function isFolderOf(name: string, { suggested, cwd }: Unusable): boolean {
  const folder = cwd === undefined ? undefined : labelFrom(folderName(cwd));
  return [suggested, folder].some((own) => own === name || own === name.split(".")[0]);
}

/**
 * A clause for a name that leads nowhere, where none of them was clearly meant. The latest is the one that somebody has
 * just started. Undefined where there is none.
 */
export function namelessText(all: readonly Unusable[]): string | undefined {
  if (all.length === 0) return undefined;
  const latest = all.reduce((a, b) => (b.startedAt > a.startedAt ? b : a));
  if (all.length === 1) return faultText(latest);
  const which = whichText(latest).replace(" listens", ", which listens");
  return `${all.length} servers run without a name (the latest is ${which}): localhostess ls`;
}

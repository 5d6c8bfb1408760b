/** A port that a service cannot have, and who has it -> a predicate for a person: who, and what helps. Pure. */
import { basename } from "node:path";
import { folderWords, type PortHolder } from "../../discovery/port-holder.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";

export type TakenOptions = {
  /** The service that wants it: `shop:web`. */
  id: string;
  holders: readonly PortHolder[];
  /** The service that the first holder belongs to, where it is one of ours. */
  owner: string | undefined;
  /** This daemon's pid. */
  self: number;
};

/** Characters of a command line that are shown. */
const longest = 200;

/** Addresses that a person need not be told of: the port alone says enough. */
const usual: ReadonlySet<string> = new Set(["127.0.0.1", "0.0.0.0", "::", ""]);

/** Stands after the service's name. */
export function portTaken(port: number, options: TakenOptions): string {
  return `cannot have its port ${port}: ${whoHas(port, options)}; ${remedy(options)}`;
}

/** `python3 (pid 17) listens on it (python3 -m http.server 3000)`. */
export function whoHas(port: number, { id, holders, owner, self }: TakenOptions): string {
  const [first] = holders;
  if (first === undefined) {
    return "no process that can be seen listens on it; another user's may, or a connection uses it";
  }
  const { address, process, uid } = first;
  const place = usual.has(address) ? "it" : `${placeOf(address)}:${port}`;
  if (process === undefined) {
    const who = uid === undefined ? "another user" : uid === 0 ? "root" : `the user ${uid}`;
    return `a process of ${who} listens on ${place}, which only that user and root can see (sudo ss -ltnp)`;
  }
  const { pid, command, cwd } = process;
  if (pid === self) return `localhostess itself listens on ${place}`;
  if (owner === id) return `its own former process ${pid} still listens on ${place}`;
  const listens = holders.length > 1 ? `and ${holders.length - 1} more listen` : "listens";
  const name = owner ?? printable(nameOf(command), 40);
  return `${name} (pid ${pid}) ${listens} on ${place} (${printable(command, longest)}${folderWords(cwd)})`;
}

function remedy({ id, holders: [first], owner, self }: TakenOptions): string {
  if (first?.process?.pid === self) return "give it another port";
  if (owner === undefined || owner === id) return "it starts when the port is free";
  return `it starts when that has ended: localhostess stop ${pastedWord(owner)}`;
}

function placeOf(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** The program of a command line. */
function nameOf(command: string): string {
  const [word = command] = command.split(" ");
  return basename(word) || command;
}

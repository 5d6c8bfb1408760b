/** Places on another machine -> unix sockets here that lead there, over the connection that runs. */
import { chmodSync, lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../system/command.ts";
import { forwardTo } from "./place-there.ts";
import { socketName } from "./socket-folder.ts";
import { forwardArguments } from "./ssh-arguments.ts";

export type PlaceThere = { address: string; port: number };

export type ForwardsOptions = {
  /** The remote's name, and its host. */
  name: string;
  host: string;
  control: string;
  folder: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Sockets have been opened or closed. */
  onChange(): void;
  /** A sentence: a place that cannot be reached, told once for each. */
  onFailure(why: string): void;
};

/** Milliseconds; a command to the connection that runs takes ten or so. */
const deadline = 5_000;
/** Octets; it prints nothing. */
const limit = 16 * 1024;
/** Forwards in one command, so that its arguments stay short. */
const mostAtOnce = 50;

/** Opens what is wanted and closes what is not, one command after another. */
export class Forwards {
  readonly #options: ForwardsOptions;
  /** By the path of the socket here. */
  readonly #open = new Map<string, PlaceThere>();
  #wanted = new Map<string, PlaceThere>();
  readonly #failed = new Set<string>();
  #running: Promise<void> | undefined;
  #over = false;

  constructor(options: ForwardsOptions) {
    this.#options = options;
  }

  /** The path of the socket for a place, once it is open. */
  socketTo(place: PlaceThere): string | undefined {
    const path = this.#pathTo(place);
    return this.#open.has(path) ? path : undefined;
  }

  /** Resolves when every wanted place has a socket, or was tried. Never rejects. */
  async want(places: readonly PlaceThere[]): Promise<void> {
    this.#wanted = new Map(places.map((place) => [this.#pathTo(place), place]));
    for (const path of this.#failed) if (!this.#wanted.has(path)) this.#failed.delete(path);
    this.#running ??= this.#settle().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** The connection is gone, and its sockets with it. */
  end(): void {
    this.#over = true;
    for (const path of [...this.#open.keys(), ...this.#wanted.keys()])
      rmSync(path, { force: true });
    this.#open.clear();
  }

  #pathTo(place: PlaceThere): string {
    return join(this.#options.folder, socketName(this.#options.name, place));
  }

  async #settle(): Promise<void> {
    for (;;) {
      if (this.#over) return;
      const missing = [...this.#wanted].filter(
        ([path]) => !this.#open.has(path) && !this.#failed.has(path),
      );
      const surplus = [...this.#open].filter(([path]) => !this.#wanted.has(path));
      if (surplus.length > 0) await this.#close(surplus.slice(0, mostAtOnce));
      else if (missing.length > 0) await this.#openThese(missing.slice(0, mostAtOnce));
      else return;
    }
  }

  async #openThese(these: readonly (readonly [string, PlaceThere])[]): Promise<void> {
    const why = await this.#run("forward", these);
    if (this.#over) return;
    let opened = false;
    for (const [path, place] of these) {
      // The command stops at the first that fails; the socket itself tells which ones came about.
      if (!isOwnSocket(path)) continue;
      this.#open.set(path, place);
      opened = true;
    }
    if (opened) this.#options.onChange();
    const [first] = these.filter(([path]) => !this.#open.has(path));
    if (first === undefined) return;
    this.#failed.add(first[0]);
    this.#options.onFailure(
      `${forwardTo(first[1])} there cannot be reached: ${why ?? "no socket"}`,
    );
  }

  async #close(these: readonly (readonly [string, PlaceThere])[]): Promise<void> {
    for (const [path] of these) this.#open.delete(path);
    this.#options.onChange();
    await this.#run("cancel", these);
    // ssh leaves the socket's file.
    for (const [path] of these) if (!this.#open.has(path)) rmSync(path, { force: true });
  }

  /** @returns why it failed. */
  async #run(
    verb: "forward" | "cancel",
    these: readonly (readonly [string, PlaceThere])[],
  ): Promise<string | undefined> {
    const { control, host, env } = this.#options;
    const forwards = these.map(([socket, place]) => ({ socket, to: forwardTo(place) }));
    const ran = await runCommand(["ssh", ...forwardArguments(verb, { control, host, forwards })], {
      env: { PATH: env.PATH ?? "" },
      deadline,
      limit,
    });
    if (ran.kind === "missing") return "there is no ssh in the PATH of the daemon";
    if (ran.kind === "failed") return ran.why;
    return ran.code === 0
      ? undefined
      : ran.stderr.trim().slice(0, 300) || `ssh ended with ${ran.code}`;
  }
}

/** A socket that nobody else may connect to, whatever made it. */
function isOwnSocket(path: string): boolean {
  const its = lstatSync(path, { throwIfNoEntry: false });
  if (its === undefined || !its.isSocket()) return false;
  if ((its.mode & 0o077) !== 0) chmodSync(path, 0o600);
  return true;
}

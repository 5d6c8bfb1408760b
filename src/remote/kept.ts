/** The machines that `localhostess remote add` has named -> a file in the state directory, for the next daemon. */
import { join } from "node:path";
import { hostMistake, remoteNameMistake } from "../manifest/remote-place.ts";
import type { Clock } from "../system/clock.ts";
import { jsonFile } from "../system/json-file.ts";
import { onlyVersioned } from "../system/state-format.ts";

export interface KeptRemotes {
  /** Name -> host. */
  all(): ReadonlyMap<string, string>;
  /** Once, before anything else. Never rejects. */
  read(): Promise<void>;
  set(name: string, host: string): void;
  /** @returns whether there was one. */
  delete(name: string): boolean;
  flush(): Promise<void>;
}

export type KeptRemotesOptions = {
  stateDirectory: string;
  clock: Clock;
  note(text: string): void;
};

export const remotesFormat = onlyVersioned;

export function remotesPath(stateDirectory: string): string {
  return join(stateDirectory, "remotes.json");
}

type Kept = { remotes: Record<string, { host: string }> };

export function keptRemotes({ stateDirectory, clock, note }: KeptRemotesOptions): KeptRemotes {
  const known = new Map<string, string>();
  const path = remotesPath(stateDirectory);
  const file = jsonFile<Kept>({ path, format: remotesFormat, clock, check, note });
  const save = (): void =>
    file.save(() => ({
      remotes: Object.fromEntries([...known].map(([name, host]) => [name, { host }])),
    }));
  return {
    all: () => known,
    async read() {
      for (const [name, { host }] of Object.entries((await file.read())?.remotes ?? {})) {
        known.set(name, host);
      }
    },
    set(name, host) {
      known.set(name, host);
      save();
    },
    delete(name) {
      if (!known.delete(name)) return false;
      save();
      return true;
    },
    flush: () => file.flush(),
  };
}

/** Nothing but what `remote add` lets in: ssh is started with it. */
function check(value: unknown): Kept | undefined {
  const remotes = (value as Kept | null)?.remotes;
  if (typeof remotes !== "object" || remotes === null || Array.isArray(remotes)) return undefined;
  const isValid = Object.entries(remotes).every(
    ([name, its]) =>
      remoteNameMistake(name) === undefined &&
      typeof its?.host === "string" &&
      hostMistake(its.host) === undefined,
  );
  return isValid ? { remotes } : undefined;
}

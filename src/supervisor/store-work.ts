/** Managed stores, and what is asked of their data -> done while the store does not run, or a sentence why not. */
import { existsSync } from "node:fs";
import { chown, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StorePlace } from "../manifest/order.ts";
import type { BootEvent } from "../routes/project-report.ts";
import { isNewBeside, newBeside } from "../stores/exchange.ts";
import type { Kept, StorePlaces } from "../stores/store-places.ts";
import type { Clock } from "../system/clock.ts";
import { copyFolder, sizeOfFolder, syncFolder } from "../system/copy-folder.ts";
import { makePrivateText } from "../system/private-text.ts";
import { readText } from "../system/read-text.ts";
import { shownSize } from "../text/size.ts";
import type { Started } from "./project/boot.ts";
import { isSuspended, isWanted } from "./project/unit.ts";
import { checkStaged, describedName } from "./staged-data.ts";
import { type Store, StoreRefusal } from "./store-sight.ts";

export type StoreWorkOptions = {
  clock: Clock;
  places: StorePlaces;
  isAlive(pid: number): boolean;
  note(text: string): void;
};

/** Somebody who has asked for it, and waits. */
export type Asked = {
  hear(event: BootEvent): void;
  /** True once the asker is gone: what has not begun to replace anything is given up. */
  isOver(): boolean;
};

/** A store that has data. */
export type KeptStore = Omit<Kept, "place"> & { folder: string; size: number; isThere: boolean };

/** Milliseconds between two words about how far a copy is. */
const wordPeriod = 300;

/** Files of a server that runs, which mean nothing for its data. */
const ofProcess = ["postmaster.pid"];

/** The data has another password than the file beside it, which the program mends before the server listens. */
export const passwordMark = "password-to-set";

export class StoreWork {
  readonly #options: StoreWorkOptions;
  /** Folder of a place -> what is done with it. */
  readonly #busy = new Map<string, string>();
  readonly #going = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(options: StoreWorkOptions) {
    this.#options = options;
  }

  /** Gives up what is under way, and resolves when all of it has ended; nothing begins any more until `open`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#going);
  }

  open(): void {
    this.#isClosed = false;
  }

  /** All stores that have data. `is`: whether the folder of a project is there. */
  async kept(): Promise<KeptStore[]> {
    return await Promise.all(
      this.#options.places.kept().map(async ({ place, ...its }) => ({
        ...its,
        folder: place.folder,
        size: await sizeOfFolder(place.data),
        isThere: existsSync(its.directory),
      })),
    );
  }

  /** Bytes of its data; undefined: it has none. */
  async sizeOf({ place }: Store): Promise<number | undefined> {
    return existsSync(place.data) ? await sizeOfFolder(place.data) : undefined;
  }

  /** Removes its data. It begins anew with an empty one, and with the same password. @throws StoreRefusal */
  async reset(store: Store, asked: Asked): Promise<Started> {
    const why = "its data is being removed";
    await this.#doing([store], why, async () => {
      const { place } = store;
      if (!existsSync(place.data)) throw noData(store);
      const made = newBeside(place.folder, process.pid);
      await this.#keepPassword(place, made);
      await this.#exchanged(store, { made, why });
    });
    return await this.#again(store, asked);
  }

  /**
   * Copies the data of one store to another of the same kind. The one is down while it is copied, the other while it
   * is exchanged. `replaces`: the other may have data.
   * @throws StoreRefusal
   */
  async fork(
    from: Store,
    { to, replaces, ...asked }: Asked & { to: Store; replaces: boolean },
  ): Promise<Started> {
    const why = `its data is being copied to ${to.id}`;
    await this.#doing([from, to], why, async () => {
      if (from.place.folder === to.place.folder) {
        throw new StoreRefusal(`${from.id} is both: name another checkout`);
      }
      if (from.store !== to.store) {
        throw new StoreRefusal(
          `${from.id} is ${from.store} and ${to.id} is ${to.store}; a copy of the one cannot be read by the other`,
        );
      }
      if (!existsSync(from.place.data)) throw noData(from);
      if (existsSync(to.place.data) && !replaces) {
        throw new StoreRefusal(`${to.id} has data, which would be replaced`);
      }
      const made = newBeside(to.place.folder, process.pid);
      try {
        await this.#copied(from, { made, why, asked });
        // PostgreSQL is given that of its own place; data of others has the one that it was made with.
        await this.#keepPassword((to.type === "postgres" ? to : from).place, made);
        makePrivateText(join(made, passwordMark), "");
        await this.#synced(made, asked);
      } catch (error) {
        await this.#remove(made);
        throw error;
      }
      await this.#exchanged(to, { made, why: `its data is being replaced by that of ${from.id}` });
    });
    return await this.#again(to, asked);
  }

  /**
   * A copy of its data for as long as the asker is there, in a folder that holds `data` and `localhostess.json`.
   * @throws StoreRefusal
   */
  snapshot(store: Store, asked: Asked): Promise<{ folder: string; remove(): Promise<void> }> {
    const why = "its data is being copied for a dump";
    return this.#doing([store], why, async () => {
      if (!existsSync(store.place.data)) throw noData(store);
      const folder = newBeside(store.place.folder, process.pid);
      const remove = () => this.#remove(folder);
      try {
        await this.#copied(store, { made: folder, why, asked });
        const { id, type, version } = store;
        const described = { id, type, version: version ?? null, time: new Date().toISOString() };
        makePrivateText(join(folder, describedName), `${JSON.stringify(described)}\n`);
      } catch (error) {
        await remove();
        throw error;
      }
      return { folder, remove };
    });
  }

  /** A folder in which the asker puts what `replace` takes, beside the store's own. */
  stage({ place }: Store): string {
    return newBeside(place.folder, process.pid);
  }

  /** Puts what is in a folder of `stage` in the place of its data. @throws StoreRefusal; the folder is removed then. */
  async replace(
    store: Store,
    { folder, replaces, ...asked }: Asked & { folder: string; replaces: boolean },
  ): Promise<Started> {
    const why = "its data is being replaced";
    await this.#doing([store], why, async () => {
      const { place } = store;
      if (!isNewBeside(place.folder, folder)) {
        throw new StoreRefusal(`${folder} is no folder that was made for it`);
      }
      try {
        await checkStaged(store, folder);
        if (existsSync(place.data) && !replaces) {
          throw new StoreRefusal(`${store.id} has data, which would be replaced`);
        }
        await rm(join(folder, describedName));
        await this.#keepPassword(place, folder);
        makePrivateText(join(folder, passwordMark), "");
        await this.#synced(folder, asked);
      } catch (error) {
        await this.#remove(folder);
        throw error;
      }
      await this.#exchanged(store, { made: folder, why });
    });
    return await this.#again(store, asked);
  }

  /** One at a time for each store. */
  #doing<T>(stores: readonly Store[], what: string, work: () => Promise<T>): Promise<T> {
    const going = (async () => {
      if (this.#isClosed) throw new StoreRefusal("the daemon is about to end; ask the next one");
      for (const { id, place } of stores) {
        const busy = this.#busy.get(place.folder);
        if (busy !== undefined)
          throw new StoreRefusal(`${id} is in use: ${busy}; try again after that`);
      }
      for (const { place } of stores) this.#busy.set(place.folder, what);
      try {
        return await work();
      } finally {
        for (const { place } of stores) this.#busy.delete(place.folder);
      }
    })();
    this.#going.add(going);
    const over = (): void => void this.#going.delete(going);
    going.then(over, over);
    return going;
  }

  /** Does it while nothing of the service runs, and starts that again, whatever comes of it. */
  async #suspended(
    { place: { data }, at: { project, unit }, id }: Store,
    because: string,
    work: () => Promise<void>,
  ): Promise<void> {
    const { name } = unit.spec;
    try {
      await project.suspend(name, because);
      const user = await userOf(data, this.#options);
      if (user !== undefined) {
        throw new StoreRefusal(`process ${user} uses the data of ${id}; end it first`);
      }
      await work();
    } finally {
      if (isSuspended(unit)) project.release(name);
    }
  }

  async #copied(
    store: Store,
    { made, why, asked }: { made: string; why: string; asked: Asked },
  ): Promise<void> {
    const { clock } = this.#options;
    let next = clock.now() + wordPeriod;
    const say = (message: string): void =>
      asked.hear({ type: "StepProgress", data: { id: store.id, message } });
    await this.#suspended(store, why, async () => {
      const isWhole = await copyFolder(store.place.data, join(made, "data"), {
        isOver: () => this.#isOver(asked),
        without: ofProcess,
        onBytes(bytes) {
          if (clock.now() < next) return;
          next = clock.now() + wordPeriod;
          say(`copied ${shownSize(bytes)}`);
        },
      });
      if (!isWhole) throw givenUp();
    });
  }

  /** The one that is at the place, where there is one. */
  async #keepPassword({ password }: StorePlace, made: string): Promise<void> {
    const read = await readText(password, { longest: 1000 });
    if (read.kind !== "text") return;
    const path = join(made, "password");
    makePrivateText(path, read.text);
    if (process.geteuid?.() !== 0) return;
    const { uid, gid } = await stat(password);
    await chown(path, uid, gid);
  }

  /** In one step. The former data is removed meanwhile: nobody has to wait for that. */
  async #exchanged(store: Store, { made, why }: { made: string; why: string }): Promise<void> {
    const { places, note } = this.#options;
    try {
      await this.#suspended(store, why, async () => {
        const { removed } = places.put(store.place, made);
        removed.catch((error: Error) =>
          note(`data that was replaced cannot be removed: ${error.message}`),
        );
      });
    } catch (error) {
      await this.#remove(made);
      throw error;
    }
  }

  async #synced(made: string, asked: Asked): Promise<void> {
    if (!(await syncFolder(made, { isOver: () => this.#isOver(asked) }))) throw givenUp();
  }

  async #remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true }).catch((error: Error) =>
      this.#options.note(`${folder} cannot be removed: ${error.message}`),
    );
  }

  /** Waits for a store that is wanted, and runs tasks again that were completed on its former data. */
  async #again({ at: { project, unit, folder } }: Store, { hear }: Asked): Promise<Started> {
    const { name } = unit.spec;
    const tasks = project.forgetRuns(name).filter((its) => {
      const task = project.unit(its);
      return task !== undefined && isWanted(task);
    });
    if (!isWanted(unit) || this.#isClosed) return { kind: "ready" };
    return await project.up({ names: [name, ...tasks], shell: folder.shell, hear });
  }

  #isOver(asked: Asked): boolean {
    return this.#isClosed || asked.isOver();
  }
}

function noData({ id, type }: Store): StoreRefusal {
  // Only its program knows whether it runs in a container.
  const volume =
    "; one that runs in a container keeps its data in a volume of the engine, out of reach here";
  return new StoreRefusal(`${id} has no data yet${type === "postgres" ? "" : volume}`);
}

function givenUp(): StoreRefusal {
  return new StoreRefusal("it was given up, and nothing was replaced");
}

/** A PostgreSQL's process that runs on the data, though it is none of its service's. */
async function userOf(
  data: string,
  { isAlive }: Pick<StoreWorkOptions, "isAlive">,
): Promise<number | undefined> {
  const read = await readText(join(data, "postmaster.pid"), { longest: 10_000 });
  if (read.kind !== "text") return undefined;
  const pid = Number(read.text.split("\n", 1)[0]);
  return Number.isInteger(pid) && pid > 1 && isAlive(pid) ? pid : undefined;
}

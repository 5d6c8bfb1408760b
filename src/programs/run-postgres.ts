/** The order of a PostgreSQL -> its server in the place of this process, with its programs and its data ready. */
import { networkInterfaces } from "node:os";
import type { PostgresSpec } from "../manifest/types/own.ts";
import type { StorePlace } from "../manifest/order.ts";
import { findBinaries } from "../stores/postgres/binaries.ts";
import { hasData, makeData, otherMajors, writeConfiguration } from "../stores/postgres/data.ts";
import { checkFiles, findPsql, makeDeclared, runFiles } from "../stores/postgres/declared.ts";
import { whenFree } from "../stores/postgres/holder.ts";
import {
  hashOf,
  hasPassword,
  passwordIsSet,
  readMade,
  writeMade,
} from "../stores/postgres/made.ts";
import { setPassword } from "../stores/postgres/password.ts";
import { type ServerPrograms, serverWords, withServer } from "../stores/postgres/server.ts";
import { serverUser } from "../stores/postgres/server-user.ts";
import { refusedSettings } from "../stores/postgres/settings.ts";
import { checkSettings } from "../stores/postgres/check-settings.ts";
import { socketFolder } from "../stores/postgres/socket-folder.ts";
import { Unstartable } from "../stores/postgres/unstartable.ts";
import { execInPlace } from "../system/exec-in-place.ts";
import { lockFile } from "../system/file-lock.ts";
import { loopback } from "../system/loopback.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { reachableByOthers } from "../system/reachable.ts";
import type { Running } from "./running.ts";
import { statusTeller } from "./status-teller.ts";

/** Milliseconds that the server of a former daemon has to end. */
const holderPatience = 30_000;

/** Milliseconds between two looks at a place that another program prepares. */
const lockPeriod = 200;

/** Returns only by ending this process. */
export async function runPostgres(running: Running): Promise<never> {
  const teller = statusTeller(running.notify);
  try {
    const words = await prepared(running, teller.tell);
    teller.end();
    const why = execInPlace({ words, env: serverEnv(running), workdir: "/" });
    return running.cannot(`PostgreSQL could not be started: ${why}`);
  } catch (error) {
    if (!(error instanceof Unstartable)) throw error;
    return running.cannot(error.message, { passing: error.passing });
  }
}

/** The words of the server, when it can be started. @throws Unstartable. */
async function prepared(
  running: Running,
  tell: (text: string) => void,
): Promise<[string, ...string[]]> {
  const { order, env, say } = running;
  const own = order.own as PostgresSpec;
  const place = order.place!;
  const refused = refusedSettings(own.settings);
  if (refused.length > 0) throw new Unstartable(`settings: ${refused.join("; ")}`);
  const uid = process.geteuid?.();
  const user = await serverUser({ env, uid });
  if (user.owner !== undefined && !reachableByOthers(place.folder)) {
    throw new Unstartable(
      `PostgreSQL does not run as root, and nobody, as whom it is run, cannot get to ${place.folder}`,
    );
  }
  const { folder } = await findBinaries(own.major, {
    ...{ env, cache: order.cache, asRoot: user.owner !== undefined },
    onStatus: tell,
  });
  const lock = await locked(place, tell);
  try {
    const programs: ServerPrograms = {
      ...{ folder, user, say, env: serverEnv(running), port: order.port ?? 5432 },
      sockets: socketFolder(place, { user, uid: uid ?? 0 }),
      password: passwordOf(place),
    };
    await ready(programs, { running, own, place, tell });
    // Free when this start began, but that is a while ago; and the server would go on with one of two addresses.
    if (!loopback(process.platform).isFree(programs.port)) {
      throw new Unstartable(`another program has taken its port ${programs.port}`, {
        passing: true,
      });
    }
    return serverWords(programs, { data: place.data, addresses: loopbackAddresses() });
  } finally {
    lock.release();
  }
}

/** One program at a time prepares a place. */
async function locked({ folder }: StorePlace, tell: (text: string) => void) {
  for (;;) {
    const lock = lockFile(`${folder}/lock`);
    if (lock.kind === "locked") return lock;
    tell("waiting for another start of the same database");
    await Bun.sleep(lockPeriod);
  }
}

type ReadyOptions = {
  running: Running;
  own: PostgresSpec;
  place: StorePlace;
  tell(text: string): void;
};

async function ready(
  programs: ServerPrograms,
  { running, own, place, tell }: ReadyOptions,
): Promise<void> {
  const { order, say } = running;
  const { password } = programs;
  const declare = async (data: string, { isNew }: { isNew: boolean }): Promise<void> => {
    await writeConfiguration(data, own.settings);
    await checkSettings(programs, data);
    await withServer(programs, data, async (query) => {
      const { directory } = order;
      const options = { own, directory, programs, query, onStatus: tell, psql: findPsql(programs) };
      await makeDeclared(options);
      if (isNew) await runFiles(options);
    });
    const { database, extensions } = own;
    await writeMade(data, { password: hashOf(password), database, extensions: [...extensions] });
  };
  if (!hasData(place, { major: own.major, service: order.service })) {
    for (const other of otherMajors(place)) {
      say(
        `PostgreSQL ${own.major} begins with new data; that of version ${other} is kept: version = ${other} brings it back`,
      );
    }
    checkFiles({ own, directory: order.directory });
    tell("making its data");
    await makeData(programs, place, (data) => declare(data, { isNew: true }));
    passwordIsSet(place);
    return;
  }
  const { data } = place;
  tell("looking at its data");
  await whenFree(data, holderPatience);
  await writeConfiguration(data, own.settings);
  await checkSettings(programs, data);
  const made = readMade(data);
  if (!hasPassword(place, made, password)) {
    tell("setting its password");
    await setPassword(programs, data);
    await writeMade(data, { database: "", extensions: [], ...made, password: hashOf(password) });
    passwordIsSet(place);
  }
  const isMade =
    made?.database === own.database && own.extensions.every((its) => made.extensions.includes(its));
  if (!isMade) await declare(data, { isNew: false });
}

function passwordOf({ password }: StorePlace): string {
  const read = readPrivateFile(password, { limit: 1000, forbidden: 0o077 });
  if (read.kind === "text" && read.text.trim() !== "") return read.text.trim();
  throw new Unstartable(`${password} is no password file of this user's; remove it`);
}

/** Variables that would choose another server, other data or another port; and our own socket, which is not its. */
function serverEnv({ env }: Running): Record<string, string> {
  const others = Object.entries(env).filter(([name]) => !/^(?:PG|NOTIFY_SOCKET$)/.test(name));
  return Object.fromEntries(others);
}

/** Both, as clients look up `localhost` in either order. */
function loopbackAddresses(): string {
  const all = Object.values(networkInterfaces()).flatMap((its) => its ?? []);
  return all.some(({ address }) => address === "::1") ? "127.0.0.1,::1" : "127.0.0.1";
}

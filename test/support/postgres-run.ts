/** A place, and our program that runs a PostgreSQL in it -> what it tells the supervisor, and how it ends. */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";

import { join, resolve } from "node:path";
import { type Order, orderVariable, orderWord } from "../../src/manifest/order.ts";
import type { PostgresSpec } from "../../src/manifest/types/own.ts";
import { datagrams } from "../../src/system/datagrams.ts";
import { startupPacket, stateOf, readStartAnswer } from "../../src/wire/postgres.ts";
import { eventually } from "./eventually.ts";
import { quickFolder } from "./quick-folder.ts";
import { freePort } from "./servers.ts";

const main = resolve(import.meta.dir, "../../src/main.ts");

export interface PostgresRun extends AsyncDisposable {
  pid: number;
  port: number;
  /** Lines that it told the supervisor. */
  told: string[];
  /** Its output. */
  log(): string;
  /** Resolves when it answers as PostgreSQL does, or with false when it has ended. */
  ready(): Promise<boolean>;
  /** Its exit code, when it has ended. */
  ended: Promise<number>;
  /** `X_CANNOT` or `X_FAILED`, when it has ended. */
  why(): Promise<string | undefined>;
  /** Ends it as the supervisor does. */
  stop(): Promise<number>;
}

export interface PostgresPlace extends AsyncDisposable {
  /** Absolute: all of it. */
  folder: string;
  /** Absolute: the project's folder. */
  directory: string;
  store: string;
  data: string;
  password: string;
  write(name: string, text: string): void;
  run(own?: Partial<PostgresSpec>, more?: RunMore): Promise<PostgresRun>;
}

export type RunMore = {
  env?: Record<string, string>;
  cache?: string;
  port?: number;
};

/**
 * Everybody may go through it: as root, the server is another user's. `deep`: its path is too long for a socket, so
 * that the socket has a folder elsewhere.
 */
export function postgresPlace({ deep = false, root = quickFolder() } = {}): PostgresPlace {
  const folder = mkdtempSync(join(root, "localhostess-pg-"));
  chmodSync(folder, 0o711);
  const store = join(folder, deep ? "d".repeat(90) : "db", "postgres-15");
  const directory = join(folder, "shop");
  for (const its of [store, directory]) mkdirSync(its, { recursive: true, mode: 0o711 });
  const password = `secret-${crypto.randomUUID()}`;
  writeFileSync(join(store, "password"), `${password}\n`, { mode: 0o600 });
  const runs: PostgresRun[] = [];
  const run = async (own: Partial<PostgresSpec> = {}, more: RunMore = {}): Promise<PostgresRun> => {
    const port = more.port ?? freePort();
    const place = {
      ...{ folder: store, data: join(store, "data"), sockets: join(store, "s") },
      password: join(store, "password"),
    };
    const order = {
      ...{ id: "shop:db", project: "shop", directory, service: "db", command: "", port, ports: {} },
      own: {
        ...{
          kind: "postgres",
          major: 15,
          database: "shop",
          init: [],
          settings: {},
          extensions: [],
        },
        ...own,
      },
      ...{ routeName: undefined, variables: [], place, owner: "0123456789abcdef" },
      ...{ cache: more.cache ?? join(folder, "cache"), stopTimeout: 5000, pty: false },
      engines: undefined,
    } as unknown as Order;
    const told: string[] = [];
    const socket = join(folder, `n${runs.length}`);
    const heard = await datagrams(socket, {
      platform: process.platform,
      hear: (bytes) => void told.push(...Buffer.from(bytes).toString().split("\n")),
    });
    const path = join(folder, `log${runs.length}`);
    const log = openSync(path, "a");
    const child = Bun.spawn([process.execPath, main, orderWord], {
      cwd: "/",
      env: {
        ...(process.env as Record<string, string>),
        ...{ [orderVariable]: JSON.stringify(order), NOTIFY_SOCKET: socket, ...more.env },
      },
      stdin: "ignore",
      ...{ stdout: log, stderr: log },
      detached: true,
    });
    closeSync(log);
    const made: PostgresRun = {
      ...{ pid: child.pid, port, told, ended: child.exited },
      log: () => readFileSync(path, "utf8"),
      async ready() {
        for (;;) {
          if (child.exitCode !== null || child.signalCode !== null) return false;
          if (await answers(port)) return true;
          await Bun.sleep(20);
        }
      },
      async why() {
        await child.exited;
        const line = () => told.find((its) => /^X_(?:CANNOT|FAILED)=/.test(its));
        await eventually("the end is told", () => line() !== undefined);
        return line();
      },
      async stop() {
        child.kill("SIGINT");
        return await child.exited;
      },
      async [Symbol.asyncDispose]() {
        killGroup(child.pid);
        await child.exited;
        heard.close();
      },
    };
    runs.push(made);
    return made;
  };
  return {
    ...{ folder, directory, store, data: join(store, "data"), password, run },
    write: (name, text) => writeFileSync(join(directory, name), text),
    async [Symbol.asyncDispose]() {
      for (const its of runs) await its[Symbol.asyncDispose]();
      if (deep) rmSync(socketElsewhere(store), { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder that is chosen where a path is too long. */
export function socketElsewhere(store: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(store).digest("hex").slice(0, 16);
  return `/tmp/localhostess-${process.geteuid!()}-${hash}`;
}

/** The program leads its own process group; its backends have groups of their own, and end with it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGQUIT");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether a server there takes logins. */
export async function answers(port: number, hostname = "127.0.0.1"): Promise<boolean> {
  const { promise, resolve: settle } = Promise.withResolvers<boolean>();
  const bytes: Buffer[] = [];
  const socket = await Bun.connect({
    ...{ hostname, port },
    socket: {
      data(_socket, piece) {
        bytes.push(Buffer.from(piece));
        const read = readStartAnswer(Buffer.concat(bytes));
        if (read.kind === "done") settle(stateOf(read.value).kind === "serves");
        else if (read.kind === "bad") settle(false);
      },
      close: () => settle(false),
    },
  }).catch(() => undefined);
  if (socket === undefined) return false;
  socket.write(startupPacket({ user: "postgres", database: "postgres" }));
  const serves = await promise;
  socket.end();
  return serves;
}

/** An empty folder -> the data of MongoDB in it, with one user who may do everything. */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { BsonValue } from "../../wire/bson.ts";
import { mongoCommand, mongoReply } from "../../wire/mongo-message.ts";

export type FirstUserOptions = {
  /** mongod, absolute. */
  program: string;
  folder: string;
  /** A path in a private folder: as long as there is no password, nobody else may come in. */
  socket: string;
  env: Readonly<Record<string, string>>;
  user: string;
  password: string;
};

/** Milliseconds until the server answers, until it ends, and between two tries to connect. */
const longestStart = 60_000;
const longestEnd = 60_000;
const period = 100;

/** @throws an Error with a sentence. */
export async function firstMongoUser(options: FirstUserOptions): Promise<void> {
  const { program, folder, socket, env, user, password } = options;
  const failed = "the data of MongoDB could not be made";
  rmSync(socket, { force: true });
  // Without an address: it listens on sockets in this folder alone.
  const listens = ["--bind_ip", socket, "--unixSocketPrefix", dirname(socket)];
  const child = Bun.spawn([program, "--dbpath", folder, ...listens], {
    ...{ env: { ...env }, cwd: folder, stdin: "ignore", stdout: "inherit", stderr: "inherit" },
  });
  const late = setTimeout(() => child.kill("SIGKILL"), longestStart);
  try {
    const reply = await answered(socket, {
      command: {
        createUser: user,
        pwd: password,
        roles: [{ role: "root", db: "admin" }],
        $db: "admin",
      },
      isOver: () => child.exitCode !== null || child.signalCode !== null,
    });
    if (reply === undefined) throw new Error(`${failed}: mongod ended`);
    // An interrupted preparation begins with an empty folder: there is no such user yet.
    if (reply.get("ok") !== 1) throw new Error(`${failed}: ${reply.get("errmsg") ?? "no reason"}`);
  } finally {
    clearTimeout(late);
    const kill = setTimeout(() => child.kill("SIGKILL"), longestEnd);
    child.kill("SIGTERM");
    await child.exited;
    clearTimeout(kill);
    rmSync(socket, { force: true });
  }
}

type AnsweredOptions = {
  command: { readonly [key: string]: BsonValue };
  isOver(): boolean;
};

/** Undefined: the server has ended before it answered. */
async function answered(
  socket: string,
  { command, isOver }: AnsweredOptions,
): Promise<Map<string, unknown> | undefined> {
  while (!isOver()) {
    const reply = await oneTry(socket, mongoCommand(command));
    if (reply !== undefined) return reply;
    await Bun.sleep(period);
  }
  return undefined;
}

/** Undefined: nobody listens there yet, or the connection ended without a reply. */
async function oneTry(
  socket: string,
  question: Uint8Array,
): Promise<Map<string, unknown> | undefined> {
  const { promise, resolve } = Promise.withResolvers<Map<string, unknown> | undefined>();
  let bytes = Buffer.alloc(0);
  try {
    const link = await Bun.connect({
      unix: socket,
      socket: {
        open: (its) => void its.write(question),
        data(_, piece) {
          bytes = Buffer.concat([bytes, piece]);
          const read = mongoReply(bytes);
          if (read.kind === "done") resolve(read.value);
          else if (read.kind === "bad") resolve(new Map([["errmsg", read.why]]));
        },
        close: () => resolve(undefined),
        error: () => resolve(undefined),
      },
    });
    const reply = await promise;
    link.end();
    return reply;
  } catch {
    // The server does not listen yet.
    return undefined;
  }
}

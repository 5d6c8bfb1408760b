/** The programs of a PostgreSQL, and data -> a server for as long as something is done in it, by its socket alone. */
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { ServerUser } from "./server-user.ts";
import { Unstartable } from "./unstartable.ts";

/** All that the programs of one database are run with. */
export type ServerPrograms = {
  /** Absolute: the folder of `postgres` and `initdb`. */
  folder: string;
  user: ServerUser;
  /** Absolute, private: the folder of its unix socket. */
  sockets: string;
  /** Also the number in the socket's name. */
  port: number;
  /** Without what would choose other data, another port or another address. */
  env: Readonly<Record<string, string>>;
  password: string;
  /** A line in the service's log. */
  say(text: string): void;
};

/** The configuration with the declared settings behind initdb's own. */
export function configurationIn(data: string): string {
  return join(data, "localhostess.conf");
}

/** The superuser that `initdb` makes. */
export const superuser = "postgres";

/** Characters of the server's log that are kept for the case that it fails. */
const keptLog = 16 * 1024;

/** Milliseconds between two tries to connect. */
const period = 50;

export type Query = (text: string, database: string) => Promise<readonly Record<string, unknown>[]>;

/** The words that run the server on its data. `more`: further words of its own. */
export function serverWords(
  { folder, user, sockets, port }: ServerPrograms,
  { data, addresses }: { data: string; addresses: string },
): [string, ...string[]] {
  return [
    ...user.prefix,
    ...[join(folder, "postgres"), "-D", data, "-p", String(port)],
    ...["-c", `config_file=${configurationIn(data)}`],
    ...["-c", `listen_addresses=${addresses}`],
    ...["-c", `unix_socket_directories=${sockets}`, "-c", "unix_socket_permissions=0700"],
    ...["-c", "logging_collector=off", "-c", "log_destination=stderr"],
  ] as [string, ...string[]];
}

/** Nobody else reaches it meanwhile. Ended well when it resolves. @throws Unstartable. */
export async function withServer<T>(
  programs: ServerPrograms,
  data: string,
  use: (query: Query) => Promise<T>,
): Promise<T> {
  const child = Bun.spawn(serverWords(programs, { data, addresses: "" }), {
    cwd: "/",
    env: programs.env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const log = { text: "" };
  const read = readInto(log, child.stderr);
  const clients = new Map<string, Bun.SQL>();
  const query: Query = async (text, database) => {
    const client = clients.get(database) ?? clientOf(programs, database);
    clients.set(database, client);
    return (await client.unsafe(text)) as Record<string, unknown>[];
  };
  try {
    await ready(programs, child, log);
    return await use(query);
  } finally {
    for (const client of clients.values()) await client.close({ timeout: 0 });
    child.kill("SIGINT");
    await child.exited;
    await read;
    if (child.exitCode !== 0) programs.say(log.text.trimEnd());
  }
}

async function readInto(log: { text: string }, stream: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  for await (const piece of stream) {
    log.text = (log.text + decoder.decode(piece, { stream: true })).slice(-keptLog);
  }
}

function clientOf({ sockets, port, password }: ServerPrograms, database: string): Bun.SQL {
  return new Bun.SQL({
    // Without these two, Bun would take them from the environment: DATABASE_URL, PGOPTIONS.
    url: `postgres://${superuser}@localhost/`,
    connection: { options: "" },
    path: socketPath({ sockets, port }),
    adapter: "postgres",
    username: superuser,
    ...{ password, database, tls: false, max: 1 },
    onnotice: () => {},
  } as Bun.SQL.Options);
}

export function socketPath({ sockets, port }: Pick<ServerPrograms, "sockets" | "port">): string {
  return join(sockets, `.s.PGSQL.${port}`);
}

/** As long as it takes: after a crash, the server has to read its log first. */
async function ready(
  programs: ServerPrograms,
  child: Subprocess,
  log: { text: string },
): Promise<void> {
  for (;;) {
    const client = clientOf(programs, superuser);
    try {
      await client.unsafe("SELECT 1");
      return;
    } catch (error) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Unstartable(`PostgreSQL did not start: ${lastFault(log.text)}`);
      }
      const { errno, message } = error as { errno?: unknown; message: string };
      // An answer of the server's: 57P03 is one that it takes back, and no wait mends any other.
      if (/^[0-9A-Z]{5}$/.test(String(errno)) && errno !== "57P03") {
        throw new Unstartable(`PostgreSQL refuses its own user: ${message}`, { cause: error });
      }
      await Bun.sleep(period);
    } finally {
      await client.close({ timeout: 0 });
    }
  }
}

/** The last line of a log that says why, without its time and process. */
export function lastFault(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const fault =
    lines.findLast((line) => /\b(?:FATAL|PANIC|ERROR|error): /.test(line)) ?? lines.at(-1);
  if (fault === undefined) return "it said nothing";
  return fault.replace(/^.*?\b(?:FATAL|PANIC|ERROR|error): +/, "").trim();
}

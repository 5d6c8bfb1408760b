/** A kind of dev server and a name into a real one that listens, with that NAME in its environment. */
import { randomBytes } from "node:crypto";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ProgramName } from "./debian.ts";
import { type Running, running } from "./running.ts";
import { throwawayCertificateAuthority } from "./throwaway-certificate-authority.ts";

export interface NamedServer extends AsyncDisposable {
  name: string;
  port: number;
  pid: number;
  /** Where its `text` is, before any script has run. */
  path: string;
  /** What a browser shows at `/`. */
  text: string;
  /** The folder it serves, or an empty one. */
  folder: string;
  /** What it has printed of late. */
  output(): string;
  end(): Promise<void>;
}

export type ServerKind = keyof typeof starters;

type Start = {
  name: string;
  /** The server's working directory, removed at its end. */
  folder: string;
  text: string;
};

const fixtures = resolve(import.meta.dir, "../e2e/fixtures");
const viteProgram = resolve(import.meta.dir, "../../node_modules/vite/bin/vite.js");
const node = Bun.which("node") ?? "node";

const starters = {
  async python({ name, folder, text }: Start): Promise<Running> {
    await writeFile(join(folder, "index.html"), `<!doctype html><h1>${text}</h1>\n`);
    return running(["python3", "-u", "-m", "http.server", "0"], {
      env: { NAME: name },
      cwd: folder,
      ready: /^Serving HTTP on \S+ port (\d+)/m,
    });
  },

  node: ({ name, folder }: Start): Promise<Running> =>
    running([node, join(fixtures, "node.mjs")], {
      env: { NAME: name },
      cwd: folder,
      ready: /^port (\d+)$/m,
    }),

  bun: ({ name, folder }: Start): Promise<Running> =>
    running([process.execPath, join(fixtures, "bun.mjs")], {
      env: { NAME: name },
      cwd: folder,
      ready: /^port (\d+)$/m,
    }),

  vite: (start: Start): Promise<Running> => vite(start, ""),

  async "vite with TLS"(start: Start): Promise<Running> {
    await using throwaway = await throwawayCertificateAuthority();
    const { key, certificate } = await throwaway.leafFor("other.localhost");
    return await vite(start, `https: ${JSON.stringify({ key, cert: certificate })}`);
  },
};

async function vite({ name, folder, text }: Start, server: string): Promise<Running> {
  await cp(join(fixtures, "vite"), folder, { recursive: true });
  await writeFile(join(folder, "message.js"), messageModule(text));
  await writeFile(join(folder, "vite.config.js"), viteSettings(server));
  // The port has to be named: Vite takes another one each time it starts anew where it may choose.
  for (let attempt = 1; ; attempt++) {
    const command = [node, viteProgram, "--port", String(freePort()), "--strictPort"];
    const ready = /https?:\/\/localhost:(\d+)\//;
    try {
      return await running(command, { env: { NAME: name }, cwd: folder, ready });
    } catch (error) {
      // Somebody has taken it since it was free.
      if (attempt === 3 || !String(error).includes("already in use")) throw error;
    }
  }
}

/** The text of `vite.config.js`; `server`: what it has to say of its server. */
export function viteSettings(server: string): string {
  return `export default { server: { ${server} } };\n`;
}

/** What a kind needs besides Bun, which runs the tests. */
export const neededBy: Record<ServerKind, readonly ProgramName[]> = {
  python: ["python3"],
  node: ["node"],
  bun: [],
  vite: ["node"],
  "vite with TLS": ["node"],
};

export const serverKinds = Object.keys(starters) as readonly ServerKind[];

/** No other run of these tests has it: every proxy of a machine sees every server. */
export function uniqueName(kind: string): string {
  return `${kind.replaceAll(" ", "-").toLowerCase()}-${randomBytes(4).toString("hex")}`;
}

export async function startServer(
  kind: ServerKind,
  name: string = uniqueName(kind),
): Promise<NamedServer> {
  const folder = await mkdtemp(join(tmpdir(), `localhostess-${kind.replaceAll(" ", "-")}-`));
  const remove = () => rm(folder, { recursive: true, force: true });
  const text = `hello from ${name}`;
  try {
    const server = await starters[kind]({ name, folder, text });
    const end = async (): Promise<void> => {
      await server.end();
      await remove();
    };
    return {
      name,
      port: Number(server.said[1]),
      pid: server.pid,
      path: kind.startsWith("vite") ? "/message.js" : "/",
      text,
      folder,
      output: server.output,
      end,
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** All at once; one that fails leaves no other behind. */
export async function startServers(kinds: readonly ServerKind[]): Promise<NamedServer[]> {
  const outcomes = await Promise.allSettled(kinds.map((kind) => startServer(kind)));
  const servers = outcomes.flatMap((its) => (its.status === "fulfilled" ? [its.value] : []));
  const failed = outcomes.find((its) => its.status === "rejected");
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => server.end()));
  throw failed.reason;
}

/** Saves a file of the app as editors do it, whole: Vite would read one that is half written. */
export async function edit(
  { folder }: NamedServer,
  { file, text }: { file: string; text: string },
): Promise<void> {
  const written = join(folder, `.${file}.new`);
  await writeFile(written, text);
  await rename(written, join(folder, file));
}

/** What the Vite app's `message.js` has to hold for its page to say `text`. */
export function messageModule(text: string): string {
  return `export const message = ${JSON.stringify(text)};\n`;
}

/**
 * A moment ago nobody had it, on either loopback address. Not one of those that the system gives out: another test
 * would have it before the server that it is for.
 */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    try {
      Bun.listen({ hostname: "localhost", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // Somebody has it: the next one.
    }
  }
}

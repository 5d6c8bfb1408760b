/**
 * A fresh copy of a real project -> its daemon, its verbs, and requests to it by name; at its end nothing of it is
 * left.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Row } from "../../src/cli/projects/asking.ts";
import { cli, type Ended } from "../cli/cli.ts";
import { certificateAuthorityPath } from "../../src/tls/certificate-authority-paths.ts";
import { type DaemonPlace, daemonPlace, endNow } from "./daemon-place.ts";
import { eventually } from "./eventually.ts";
import { uniqueName } from "./servers.ts";

const fixture = resolve(import.meta.dir, "../e2e/fixtures/shop");
const vite = resolve(import.meta.dir, "../../node_modules/vite/bin/vite.js");

export interface Shop extends AsyncDisposable {
  /** The project's, and the first part of its domain. */
  name: string;
  folder: string;
  place: DaemonPlace;
  env: Record<string, string | undefined>;
  run(...args: string[]): Promise<Ended>;
  status(): Promise<Row[]>;
  row(service: string): Promise<Row>;
  /** Every process that one of its services has started. */
  pids(): number[];
  /**
   * The page of a service, asked for as a browser does, on a connection of its own; by https with our authority alone,
   * once there is one.
   */
  load(service: string, options?: { secure?: boolean; path?: string }): Promise<Loaded>;
}

export type Loaded = { status: number; refresh: string | undefined; text: string };

/** `manifest`: makes another of the fixture's. */
export async function shop(manifest: (text: string) => string = String): Promise<Shop> {
  const place = await daemonPlace();
  const name = uniqueName("shop");
  const folder = await realpath(await mkdtemp(join(tmpdir(), "localhostess-shop-")));
  await cp(fixture, folder, { recursive: true });
  const path = join(folder, "locald.toml");
  const text = await readFile(path, "utf8");
  await writeFile(path, manifest(text.replace('name = "shop"', `name = "${name}"`)));
  const env = {
    ...place.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    VITE: vite,
  };
  const daemon = place.start();
  await daemon;
  const run = (...args: string[]) => cli(args, { env, cwd: folder });
  const status = async (): Promise<Row[]> => {
    const { out, err } = await run("status", "--json");
    if (!out.startsWith("[")) throw new Error(err);
    return (JSON.parse(out) as Row[]).filter((row) => row.project === name);
  };
  const pids = (): number[] => pidsOf(place.directory);
  return {
    name,
    folder,
    place,
    env,
    run,
    status,
    async row(service) {
      const row = (await status()).find((its) => its.service === service);
      if (row === undefined) throw new Error(`no row of ${service}`);
      return row;
    },
    pids,
    async load(service, { secure = false, path = "/" } = {}) {
      const { port } = await daemon;
      const host = `${service === "web" ? name : `${service}.${name}`}.localhost`;
      const authority = certificateAuthorityPath(place.directory, "names");
      // It is made with the first handshake.
      const trust = existsSync(authority) ? ["--cacert", authority] : ["--insecure"];
      const command = [
        ...[
          "curl",
          "-s",
          "-o",
          "-",
          "-w",
          "\n%{http_code} %header{refresh}",
          "--max-time",
          "40",
          "--noproxy",
          "*",
        ],
        ...["-H", "Accept: text/html,*/*;q=0.8", "--resolve", `${host}:${port}:127.0.0.1`],
        ...trust,
        `${secure ? "https" : "http"}://${host}:${port}${path}`,
      ];
      const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
      const said = await child.stdout.text();
      const at = said.lastIndexOf("\n");
      const [status, refresh] = said.slice(at + 1).split(" ");
      return { status: Number(status), refresh: refresh || undefined, text: said.slice(0, at) };
    },
    async [Symbol.asyncDispose]() {
      await run("stop");
      await place[Symbol.asyncDispose]();
      for (const pid of pids()) endNow(pid);
      await eventually("the project's processes end", () => pids().length === 0);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Its daemon has no run id; whatever a service has started has. */
function pidsOf(directory: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, "latin1");
        return variables.includes("LOCALHOSTESS_RUN_ID=") && variables.includes(directory);
      } catch {
        // It has ended, or is another user's.
        return false;
      }
    });
}

/** A daemon, and folders with a locald.toml -> what its socket says of them. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask, follow } from "../../src/control/found/client.ts";
import type { BootLine, OutputLine, SupervisedStatus } from "../../src/routes/project-report.ts";
import type { Env } from "../cli/cli.ts";
import { type DaemonPlace, daemonPlace } from "./daemon-place.ts";
import { eventually, untilNextLook } from "./eventually.ts";

export interface ProjectPlace extends AsyncDisposable {
  daemon: DaemonPlace;
  /** Absolute, of a project's folder, with that in its locald.toml. */
  project(name: string, toml: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  /** @throws where the daemon refuses. */
  send<T>(request: unknown): Promise<T>;
  lines<T>(request: unknown): Promise<T[]>;
  up(directory: string, more?: Record<string, unknown>): Promise<BootLine[]>;
  rows(): Promise<SupervisedStatus[]>;
  row(id: string): Promise<SupervisedStatus>;
  /** Resolves with the row when it is so. */
  until(
    id: string,
    holds: (row: SupervisedStatus) => boolean,
    milliseconds?: number,
  ): Promise<SupervisedStatus>;
  /** Resolves when there is no such service any more. */
  gone(id: string): Promise<void>;
  logs(id: string): Promise<string[]>;
  state(): Promise<{ projects: { runs: Record<string, { pid: number; runId: string }> }[] }>;
}

/** A server that says what it is given. */
export const server = `exec bun -e '
  const { PORT, FOO } = process.env;
  console.log("listening on", PORT);
  Bun.serve({ port: Number(PORT), hostname: "127.0.0.1", fetch: () => new Response(FOO ?? "none") });
'`;

/** `env`: further variables of its daemon. */
export async function projectPlace(env: Env = {}): Promise<ProjectPlace> {
  const daemon = await daemonPlace();
  Object.assign(daemon.env, env);
  let { socket } = await daemon.start().catch(async (error: Error) => {
    // One that was slow to start may still come.
    await daemon[Symbol.asyncDispose]();
    throw error;
  });

  const current = async (): Promise<string> => {
    const found = await daemon.find();
    if (found.kind === "healthy") socket = found.registration.socket;
    return socket;
  };
  const send = async <T>(request: unknown): Promise<T> => {
    const asked = await ask<T>(await current(), request, { deadline: 20_000 });
    if (asked.kind === "failed") throw new Error(asked.why);
    return asked.value;
  };
  const lines = async <T>(request: unknown): Promise<T[]> => {
    const all: T[] = [];
    for await (const line of follow(await current(), request, { deadline: 20_000 })) {
      all.push(JSON.parse(line) as T);
    }
    return all;
  };
  type Answer = { Status: SupervisedStatus[] };
  const rows = async () => {
    // Asked in loops, and of one place: a daemon that takes another's place has its socket too.
    const asked = await ask<Answer>(socket, "Status", { deadline: 20_000 });
    const { Status } = asked.kind === "failed" ? await send<Answer>("Status") : asked.value;
    return Status.filter(({ project }) => project !== undefined);
  };
  const place: ProjectPlace = {
    daemon,
    async project(name, toml) {
      const directory = join(daemon.directory, "projects", name);
      await mkdir(directory, { recursive: true });
      await writeFile(join(directory, "locald.toml"), toml);
      return directory;
    },
    write: (path, text) => writeFile(path, text),
    send,
    lines,
    up: (directory, more = {}) =>
      lines({ Start: { project_path: directory, env: { PATH: process.env.PATH! }, ...more } }),
    rows,
    async row(id) {
      const found = (await rows()).find(({ name }) => name === id);
      if (found === undefined) throw new Error(`there is no ${id}`);
      return found;
    },
    async until(id, holds, milliseconds = 25_000) {
      const begin = performance.now();
      for (;;) {
        const row = (await rows()).find(({ name }) => name === id);
        if (row !== undefined && holds(row)) return row;
        const past = performance.now() - begin;
        if (past > milliseconds) throw new Error(`${id}: ${JSON.stringify(row)}`);
        await Bun.sleep(untilNextLook(past) * 2);
      }
    },
    async gone(id) {
      await eventually(
        `${id} is gone`,
        async () => !(await rows()).some(({ name }) => name === id),
        25_000,
      );
    },
    async logs(id) {
      const found = await lines<OutputLine>({ Logs: { service: id } });
      return found.map(({ message }) => message);
    },
    async state() {
      return JSON.parse(await readFile(join(daemon.directory, "state.json"), "utf8"));
    },
    async [Symbol.asyncDispose]() {
      // Its services first: a daemon that is killed leaves them to the next one.
      await send("StopAll").catch(() => {
        // No daemon is left; the test has ended what it left.
      });
      await daemon[Symbol.asyncDispose]();
    },
  };
  return place;
}

/** Whether a process runs, and is not only waited for. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}

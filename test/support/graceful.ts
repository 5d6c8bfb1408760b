/** Command lines that people write -> a project of services, and what each has said of its ends. */
import { readdirSync, readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { eventually } from "./eventually.ts";
import { type ProjectPlace, projectPlace } from "./project-place.ts";

const fixture = resolve(import.meta.dir, "../e2e/fixtures/graceful");
const programs = resolve(import.meta.dir, "../../node_modules/.bin");

export type Line = {
  command: string;
  /** The exit code that is shown. */
  code: number;
};

/** Runners print the command first, and on a terminal a spinner may stand before the words. */
const said = /(?:app up|asked \d+|done|(?<!echo )NEXT)$/;

const own = { code: 3 } as const;

/** In each, a program says `app up`, then `asked 1` when it is, and `done` a second later. */
export const common = {
  plain: { command: "node app.mjs", ...own },
  and: { command: "true && node app.mjs && echo NEXT", ...own },
  exec: { command: "exec node app.mjs", ...own },
  pipeline: { command: "node app.mjs | cat", ...own },
  trap: { command: "./trap.sh", ...own },
  python: { command: "python3 app.py", ...own },
  npm: { command: "npm run both", ...own },
  pnpm: { command: "pnpm both", ...own },
  "bun-run": { command: "bun run both", ...own },
  tsx: { command: "tsx watch app.ts", ...own },
  nodemon: { command: "nodemon --quiet --watch nothing app.mjs", ...own },
  // Ends with a code of its own, once its plugins have closed.
  vite: { command: "vite --port 0", code: 143 },
} as const satisfies Record<string, Line>;

export const rare = {
  or: { command: "node app.mjs || echo NEXT", ...own },
  after: { command: "node app.mjs; echo NEXT", ...own },
  subshell: { command: "(node app.mjs; echo NEXT); echo NEXT", ...own },
  nested: { command: `sh -c 'sh -c "node app.mjs; echo NEXT"; echo NEXT'`, ...own },
  loop: { command: "while true; do node app.mjs; done", ...own },
  background: { command: "sleep 1000 & node app.mjs & wait; echo NEXT", ...own },
  three: {
    command: `node app.mjs | sed -u 's/^/ /' | while read -r line; do echo "$line"; done`,
    ...own,
  },
  fed: { command: "sleep 1000 | node app.mjs", ...own },
  logged: {
    command: `exec bash -c 'exec > >(exec cat); node app.mjs & trap "exit 5" TERM; wait; echo NEXT'`,
    code: 5,
  },
  "exec-trap": { command: "exec ./trap.sh", ...own },
  "exit-trap": {
    command: `exec bash -c 'trap "echo bye" EXIT; node app.mjs; echo NEXT'`,
    ...own,
  },
  spawns: { command: "node spawns.mjs", ...own },
  launcher: { command: "node launcher.mjs", ...own },
  "exec-launcher": { command: "exec node launcher.mjs", ...own },
  workers: { command: "python3 workers.py", ...own },
  make: { command: "make dev", ...own },
  "exec-npm": { command: "exec npm run dev", ...own },
  stopped: { command: "node app.mjs; echo NEXT", ...own },
} as const satisfies Record<string, Line>;

export interface Graceful extends AsyncDisposable {
  place: ProjectPlace;
  project: string;
  folder: string;
  /** `plain`, and `plain-pipes`. */
  services: readonly { name: string; line: Line }[];
  /** What the service's programs have said of themselves, in order. */
  said(name: string): Promise<string[]>;
  /** Processes that a service has started. */
  pids(): number[];
}

export type GracefulOptions = {
  lines: Readonly<Record<string, Line>>;
  /** Keys of each service. */
  keys: string;
};

export async function graceful({ lines, keys }: GracefulOptions): Promise<Graceful> {
  const place = await projectPlace();
  const project = `graceful-${crypto.randomUUID().slice(0, 8)}`;
  const services = Object.entries(lines).flatMap(([name, line]) => [
    { name, line, pty: true },
    { name: `${name}-pipes`, line, pty: false },
  ]);
  const toml = services.map(
    ({ name, line: { command }, pty }) =>
      `[services.${name}]\ncommand = ${JSON.stringify(command)}\npty = ${pty}\nready_pattern = "app up"\nstart_timeout = "5m"\nstop_timeout = "30s"\n${keys}\n`,
  );
  const path = [programs, dirname(process.execPath), process.env.PATH].join(":");
  // Where tsx leaves what it has compiled.
  const env = `TMPDIR = "${place.daemon.directory}"\nPATH = "${path}"\nGRACEFUL = "${project}"\nNO_UPDATE_NOTIFIER = "1"\n`;
  const folder = await place.project(
    project,
    `[project]\nname = "${project}"\n[project.env]\n${env}${toml.join("")}`,
  );
  await cp(fixture, folder, { recursive: true });
  const mark = `GRACEFUL=${project}\0`;
  return {
    place,
    project,
    folder,
    services,
    async said(name) {
      const words = await place.logs(`${project}:${name}`);
      return words.flatMap((line) => said.exec(line)?.[0] ?? []);
    },
    pids: () =>
      readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry))
        .map(Number)
        .filter((pid) => {
          try {
            return readFileSync(join("/proc", String(pid), "environ"), "latin1").includes(mark);
          } catch {
            // It has ended.
            return false;
          }
        }),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

const cycle = ["app up", "asked 1", "done"];

/** What a program has said that was started and ended so many times. */
export const cycles = (count: number): string[] => Array<string[]>(count).fill(cycle).flat();

/** What those have said that have not said this. */
export async function saidOther(its: Graceful, said: readonly string[]): Promise<object> {
  const all = await Promise.all(
    its.services.map(async ({ name }) => [name, await its.said(name)] as const),
  );
  return Object.fromEntries(all.filter(([, words]) => String(words) !== String(said)));
}

/** The exits of those whose exit is not the program's. */
export async function otherExits(its: Graceful): Promise<object> {
  const rows = await its.place.rows();
  const exits = its.services.map(({ name, line: { code } }) => {
    const exit = rows.find((row) => row.service === name)?.exit;
    return [name, exit?.code === code ? undefined : (exit ?? "none")] as const;
  });
  return Object.fromEntries(exits.filter(([, exit]) => exit !== undefined));
}

/** Waits until each has said this; what those have said that have not. */
export async function haveSaid(its: Graceful, said: readonly string[]): Promise<object> {
  // One after the other: each look at a log takes time from the programs.
  const left = its.services.map(({ name }) => name);
  try {
    await eventually(
      "each has said so",
      async () => {
        while (left.length > 0 && String(await its.said(left[0]!)) === String(said)) left.shift();
        return left.length === 0;
      },
      140_000,
    );
    return {};
  } catch {
    return await saidOther(its, said);
  }
}

/** Services of projects that a test makes up, with real logs -> the supervisor that the page's daemon has. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Supervised } from "../../src/routes/supervised.ts";
import { servicesNamed } from "../../src/routes/named.ts";
import { logStore } from "../../src/supervisor/logs/log-store.ts";
import type { Projects } from "../../src/supervisor/projects.ts";
import { systemClock } from "../../src/system/clock.ts";
import { encode } from "../../src/wire/bytes.ts";
import { testSupervised } from "../support/test-proxy.ts";

export interface PageProjects extends AsyncDisposable {
  readonly projects: Projects;
  /** Commands, as `stop shop:api`. */
  readonly told: readonly string[];
  /** `id`: `shop:api`. A service that is there already is changed. */
  set(id: string, made?: Partial<Supervised>): void;
  print(id: string, text: string): void;
  /** Set: the next command fails. */
  why: string | undefined;
}

export function pageProjects(changed: (service: Supervised) => void): PageProjects {
  const all = new Map<string, Supervised>();
  const directory = mkdtempSync(join(tmpdir(), "localhostess-page-"));
  const logs = logStore({ directory, clock: systemClock, note() {} });
  const told: string[] = [];
  const set = (id: string, made: Partial<Supervised> = {}): void => {
    const [project, service] = id.split(":") as [string, string];
    const known = all.get(id) ?? {
      ...testSupervised({ id, project, service, domain: `${project}.localhost` }),
      routeName: `${service}.${project}`,
      directory: `/home/ada/src/${project}`,
      pid: 5_000 + all.size,
      port: 4_000 + all.size,
      listens: [4_000 + all.size],
      startedAt: Date.now() - 754_000,
    };
    const its = { ...known, ...made };
    all.set(id, its);
    changed(its);
  };
  const stopped = { state: "stopped", pid: undefined, startedAt: undefined } as const;
  const started = () => ({ state: "ready", pid: 6_000, startedAt: Date.now() }) as const;
  const result = () => {
    const { why } = its;
    its.why = undefined;
    return why === undefined ? { kind: "ready" } : { kind: "failed", reasons: [why] };
  };
  const projects = {
    snapshots: () => [...all.values()],
    specOf: (id: string) => ({
      command: `bun run ${id.split(":")[1]}`,
      limits: {},
      health: undefined,
      readyPattern: undefined,
    }),
    ageOf: () => 754_000,
    usage: {
      read: async () => new Map([...all.keys()].map((id) => [id, { cpu: 1.5, memory: 84e6 }])),
    },
    addressOf(routeName: string) {
      const domain = `${routeName}.localhost`;
      return { url: `http://${domain}:9090`, domain };
    },
    logs,
    async find(name: string | undefined, from: string | undefined) {
      const rows = [...all.values()].map(({ id, service, project, directory }) => {
        return { id, service, of: undefined, project, directory };
      });
      if (name === undefined) {
        return {
          kind: "ids",
          ids: rows.filter((its) => its.directory === from).map(({ id }) => id),
        };
      }
      const found = servicesNamed(name, { rows, directory: from });
      return found.kind === "none"
        ? { kind: "none", why: found.why }
        : { kind: "ids", ids: found.rows.map(({ id }) => id) };
    },
    ids: async () => [...all.keys()],
    async stop(ids: readonly string[]) {
      told.push(`stop ${ids.join(" ")}`);
      for (const id of ids) set(id, stopped);
    },
    async restart(ids: readonly string[]) {
      told.push(`restart ${ids.join(" ")}`);
      if (its.why === undefined) for (const id of ids) set(id, started());
      return result();
    },
    async resume(from: string) {
      told.push(`resume ${from}`);
      for (const { id, directory, state } of [...all.values()]) {
        if (directory === from && state === "stopped") set(id, started());
      }
      return result();
    },
  };
  const its: PageProjects = {
    projects: projects as unknown as Projects,
    told,
    set,
    print: (id, text) => logs.of(id).push("stdout", encode(text)),
    why: undefined,
    async [Symbol.asyncDispose]() {
      await logs.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return its;
}

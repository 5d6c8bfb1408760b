/** A process of its own with a machine and real services in it, as the daemon is; a line of JSON in, a line out. */
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import type { Supervised, SupervisedState } from "../../src/routes/supervised.ts";
import { machine } from "../../src/supervisor/service/machine.ts";
import { choosePort } from "../../src/supervisor/project/ports.ts";
import { type Lifecycle, supervise } from "../../src/supervisor/service/lifecycle.ts";
import { plainEnv } from "./children.ts";
import { specOf } from "./fake-lifecycle.ts";

export type HostOrder =
  | { do: "start"; spec: Partial<ServiceSpec> & { name: string } }
  | { do: "until"; name: string; state: SupervisedState }
  | { do: "stop"; name: string }
  | { do: "many"; count: number; command: string };

/** The answer to `start` and `until`; `states` are all that were told. */
export type Told = Supervised & { states: SupervisedState[]; output: string; statuses: string[] };

export type Many = {
  upAfter: number;
  downAfter: number;
  descriptors: [before: number, up: number, after: number];
  /** Milliseconds for which nothing else could happen, at the most. */
  longest: number;
  children: number;
  memory: number;
  /** Milliseconds of this process's own work, up and down. */
  cpu: number;
};

if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), "lh-"));
  const { effects, families, start, stop } = machine({
    platform: process.platform,
    folder,
    report: (problem) => console.error(problem),
  });
  start({ takesOver: false });
  const services = new Map<string, Lifecycle>();
  const told = new Map<string, Told>();
  const taken = new Set<number>();
  let heard = Promise.withResolvers<void>();

  function add(changes: Partial<ServiceSpec> & { name: string }): Lifecycle {
    const spec = specOf({ routeName: changes.name, ...changes });
    const words: Told = { states: [], output: "", statuses: [] } as unknown as Told;
    const service = supervise(spec, {
      project: "p",
      domain: "p.localhost",
      directory: "/tmp",
      effects,
      onChange(snapshot) {
        Object.assign(words, snapshot);
        if (words.states.at(-1) !== snapshot.state) words.states.push(snapshot.state);
        if (snapshot.status !== undefined) words.statuses.push(snapshot.status);
        heard.resolve();
        heard = Promise.withResolvers();
      },
      onOutput(_stream, bytes) {
        if (words.output.length < 10_000) words.output += Buffer.from(bytes).toString();
      },
      onMembers() {},
      say(text) {
        words.output += `${text}\n`;
      },
      lastLines: () => [],
    });
    services.set(spec.name, service);
    told.set(spec.name, words);
    const port = spec.type === "worker" ? undefined : freePort(spec);
    service.start({ shell: plainEnv, port, url: "http://x.localhost", trust: {} });
    return service;
  }

  function freePort(spec: ServiceSpec): number {
    const { isFree } = effects;
    const port = choosePort(`p:${spec.name}${process.pid}`, {
      sticky: spec.port,
      taken,
      kept: new Set(),
      loopback: { isFree },
    })!;
    taken.add(port);
    return port;
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await heard.promise;
  }

  const descriptors = () => readdirSync("/proc/self/fd").length;

  async function many({ count, command }: { count: number; command: string }): Promise<Many> {
    let longest = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last - 2);
      last = now;
    }, 2);
    const before = descriptors();
    const worked = process.cpuUsage();
    const begun = performance.now();
    const names = Array.from({ length: count }, (_, at) => `s${at}`);
    for (const name of names) {
      add({ name, command });
      await new Promise((resume) => setImmediate(resume));
    }
    await until(() => names.every((name) => told.get(name)!.state === "ready"));
    const upAfter = performance.now() - begun;
    const up = descriptors();
    const memory = process.memoryUsage.rss();
    const stopping = performance.now();
    await Promise.all(names.map((name) => services.get(name)!.stop()));
    const downAfter = performance.now() - stopping;
    clearInterval(watch);
    // Sockets and terminals are closed by the event loop, in its own time.
    for (let at = 0; at < 1000 && descriptors() > before; at++) await Bun.sleep(20);
    const table = await families.members({ pid: process.pid, startedAt: 0, runId: "none" });
    return {
      upAfter,
      downAfter,
      descriptors: [before, up, descriptors()],
      longest,
      children: table.length,
      memory,
      cpu: (process.cpuUsage(worked).user + process.cpuUsage(worked).system) / 1000,
    };
  }

  async function obey(order: HostOrder): Promise<unknown> {
    if (order.do === "start") {
      add(order.spec);
      return null;
    }
    if (order.do === "many") return await many(order);
    if (order.do === "stop") await services.get(order.name)!.stop();
    else await until(() => told.get(order.name)!.states.includes(order.state));
    return told.get(order.name);
  }

  for await (const line of console) {
    if (line !== "") console.log(JSON.stringify(await obey(JSON.parse(line))));
  }
  stop({ handsOver: false });
}

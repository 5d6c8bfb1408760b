/**
 * Steps and a seed -> a played project that is told contradictory things while its processes start, die and end at
 * random, in virtual time, and whatever went wrong.
 */
import { graphOf, withDependencies, withDependents } from "../../src/manifest/graph.ts";
import { conditionFor } from "../../src/manifest/project.ts";
import {
  declared,
  type Declared,
  PlayedProject,
  type PlayedService,
} from "../supervisor/fake-project.ts";
import { settled } from "../supervisor/fake-lifecycle.ts";
import type { Random } from "./random.ts";

const aliveStates = ["starting", "running", "ready", "unready", "backoff"];

/** Part of the file that edits change. */
type Edits = {
  generations: Map<string, number>;
  extra: boolean;
  lazy: boolean;
  disabled: boolean;
  needs: boolean;
  instances: number;
};

function services({ generations, extra, lazy, disabled, needs, instances }: Edits): Declared[] {
  const env = (name: string) => ({ GENERATION: String(generations.get(name) ?? 0) });
  const all: Declared[] = [
    { name: "db", port: 7001 },
    { name: "cache", type: "worker", disabled },
    { name: "migrate", type: "task", dependsOn: ["db"] },
    { name: "seed", type: "task", dependsOn: ["migrate"] },
    { name: "once", type: "worker", restart: "no" },
    { name: "api", dependsOn: ["db", "seed"], restartWith: ["db"], port: 7002 },
    {
      name: "web",
      dependsOn: ["api", "cache", "once"],
      conditions: { cache: "started", once: "completed" },
    },
    { name: "sleepy", dependsOn: needs ? ["api"] : ["db"], lazy, idleTimeout: 5000 },
    { name: "tick", type: "worker", schedule: "* * * * *", restart: "no", dependsOn: ["db"] },
    { name: "tool", profiles: ["tools"], dependsOn: ["migrate"] },
    ...Array.from({ length: instances }, (_, at): Declared => {
      const instance = { of: "many", number: at + 1, routeName: "many" };
      return { name: `many-${at + 1}`, dependsOn: ["db"], instance };
    }),
    ...(extra ? [{ name: "extra", dependsOn: ["cache"] }] : []),
  ];
  return all.map((its) => ({ ...its, env: env(its.name) }));
}

export type WalkOptions = { steps: number; random: Random };

export async function projectWalk({ steps, random }: WalkOptions): Promise<string[]> {
  const edits: Edits = {
    generations: new Map(),
    extra: false,
    lazy: true,
    disabled: false,
    needs: false,
    instances: 2,
  };
  using played = new PlayedProject(services(edits));
  const { project, clock } = played;
  const wrong: string[] = [];
  const journal: string[] = [];
  const open = new Set<string>();
  /** Services of which the last process was ended by us, while they were wanted. */
  const taken = new Set<string>();
  /** Somebody has stopped them, and nobody has started them since. */
  const stopped = new Set<string>();
  /** By service: dependencies that were there when its process was ended for another one. */
  const granted = new Map<string, ReadonlySet<string>>();
  let births = 1_000_000;
  let applying: Promise<void> = Promise.resolve();

  const names = () => project.units().map(({ spec }) => spec.name);
  const live = (): PlayedService[] =>
    project.units().flatMap(({ service }) => (service ? [service as PlayedService] : []));
  const stateOf = (name: string) => project.unit(name)?.service?.snapshot();
  const some = (): string[] => names().filter(() => random.chance(0.25));
  const begin = (what: string, work: Promise<unknown>): void => {
    const its = `${journal.length}: ${what}`;
    open.add(its);
    void work.then(
      () => open.delete(its),
      (error: Error) => {
        open.delete(its);
        wrong.push(`${its} threw ${error.stack}`);
      },
    );
  };

  /** Called when a process is started: what it depends on must be there. */
  const started = (name: string): void => {
    taken.delete(name);
    stopped.delete(name);
    const had = granted.get(name);
    granted.delete(name);
    const unit = project.unit(name);
    if (unit === undefined) return;
    for (const other of unit.spec.dependsOn) {
      const its = stateOf(other);
      const condition = conditionFor(unit.spec, other);
      const endedWell = its?.state === "exited" && its.lastExit?.code === 0;
      const isTask = project.unit(other)?.spec.type === "task";
      const isMet = isTask
        ? played.completed.has(other)
        : condition === "ready"
          ? its?.state === "ready" || (endedWell && project.unit(other)?.spec.type === "worker")
          : condition === "completed"
            ? endedWell
            : ["running", "ready", "unready", "exited"].includes(its?.state ?? "");
      if (!isMet && !had?.has(other)) {
        wrong.push(`${journal.length}: ${name} was started while ${other} is ${its?.state}`);
      }
    }
  };
  /** What waits for one that has failed since is not down because of its restart. */
  const lost = (name: string): void => {
    const graph = graphOf(project.spec.services);
    for (const other of withDependents(graph, [name])) taken.delete(other);
  };
  const { said } = played;
  const hear = (text: string): void => {
    journal.push(text);
    const [verb, name] = text.split(" ");
    const unit = project.unit(name!);
    if (verb === "start") started(name!);
    else if (unit?.wish.state === "restarting") {
      const needed = withDependencies(graphOf(project.spec.services), [name!]);
      if (!needed.some((its) => stopped.has(its))) taken.add(name!);
      granted.set(name!, new Set(unit.granted));
    } else granted.delete(name!);
  };
  said.push = (...texts) => {
    for (const text of texts) hear(text);
    return 0;
  };
  const say = (text: string): void => {
    journal.push(`- ${text}`);
  };

  const upOf = (these: string[], options: { tasks?: boolean; profiles?: string[] } = {}) =>
    project.up({
      names: these.length === 0 ? undefined : these,
      shell: {},
      hear() {},
      ...options,
    });
  const apply = (): void => {
    applying = applying.then(() => project.apply(declared(services(edits)), {}));
    begin("apply", applying);
  };

  const process = (service: PlayedService): void => {
    const { state } = service.snapshot();
    const { name, type, restart } = service.spec;
    if (service.isEnding) {
      say(`${name} ends`);
      service.end();
      return;
    }
    if (state === "backoff") {
      say(`${name} is tried again`);
      service.isHeld = service.isRefused = false;
      service.be("starting", { startedAt: ++births });
      return;
    }
    if (state === "starting" || state === "running") {
      if (random.chance(0.15)) {
        say(`${name} dies`);
        if (type === "task" || restart === "no") lost(name);
        service.die(1, type === "task" ? "failed" : restart === "no" ? "exited" : "backoff");
      } else if (state === "starting" && random.chance(0.3)) {
        say(`${name} runs`);
        service.be("running");
      } else well(service);
      return;
    }
    const dice = random.next();
    if (state === "unready") {
      say(`${name} is ready`);
      service.be("ready", { readyAt: clock.wall() });
    } else if (state !== "ready") return;
    else if (dice < 0.3) {
      say(`${name} is unready`);
      service.be("unready");
    } else if (dice < 0.5) {
      const last = restart === "no" ? "exited" : random.chance(0.2) ? "failed" : "backoff";
      say(`${name} dies, ${last}`);
      if (last !== "backoff") lost(name);
      service.die(1, last);
    }
  };
  /** What it does where nothing goes wrong. */
  const well = (service: PlayedService): void => {
    const { name, type, restart } = service.spec;
    const { startedAt } = service.snapshot();
    const lastExit = { code: 0, signal: null, time: ++births, lastLines: [] };
    const ends = type === "task" || (type === "worker" && restart === "no");
    const isReady = !ends || (startedAt ?? 0) % 2 === 0;
    say(`${name} ${ends ? "ends well" : "is ready"}`);
    if (ends) {
      const state = type === "task" ? "completed" : "exited";
      service.be(state, { lastExit, startedAt: undefined });
    } else if (isReady) service.be("ready", { readyAt: clock.wall() });
  };

  const actions: [number, () => void][] = [
    [40, () => live().length > 0 && process(random.pick(live()))],
    [
      4,
      () => {
        const these = random.chance(0.5) ? [] : some();
        const tasks = random.chance(0.2);
        const profiles = random.chance(0.2) ? ["tools"] : [];
        say(`up ${these} ${tasks} ${profiles}`);
        begin(`up ${these}`, upOf(these, { tasks, profiles }));
      },
    ],
    [
      2,
      () => {
        const these = random.chance(0.2) ? undefined : some();
        say(`stop ${these ?? "all"}`);
        // Whatever waits for these then waits in vain, as somebody wants it.
        const graph = graphOf(project.spec.services);
        for (const name of withDependents(graph, these ?? names())) taken.delete(name);
        for (const name of these ?? names()) stopped.add(name);
        begin(`stop ${these ?? "all"}`, project.stop(these));
      },
    ],
    [
      3,
      () => {
        const these = random.chance(0.3) ? undefined : some();
        say(`restart ${these ?? "all"}`);
        begin(`restart ${these ?? "all"}`, project.restart({ names: these, shell: {}, hear() {} }));
      },
    ],
    [
      4,
      () => {
        const name = random.pick(names());
        say(`renew ${name}`);
        project.renew(name, "a file changed");
      },
    ],
    [
      2,
      () => {
        say("wake");
        project.wake("sleepy");
      },
    ],
    [
      1,
      () => {
        if (stateOf("sleepy")?.state !== "ready") return;
        say("doze");
        begin("doze", project.doze("sleepy"));
      },
    ],
    [
      5,
      () => {
        const name = random.pick(names());
        const others = [
          () => {
            edits.extra = !edits.extra;
            taken.delete("extra");
          },
          () => (edits.lazy = !edits.lazy),
          () => (edits.disabled = !edits.disabled),
          () => (edits.instances = 1 + random.below(3)),
          () => {
            edits.needs = !edits.needs;
            // It may now wait for one that somebody has stopped.
            taken.delete("sleepy");
          },
        ];
        if (random.chance(0.5)) edits.generations.set(name, ++births);
        else random.pick(others)();
        say(`edit ${JSON.stringify(edits)} ${JSON.stringify([...edits.generations])}`);
        apply();
      },
    ],
    [2, () => void played.inputs.set(random.pick(["migrate", "seed"]), String(++births))],
    [
      2,
      () => {
        if (!played.taken.delete(7002) && stateOf("api")?.state !== "ready") {
          played.taken.add(7002);
        }
      },
    ],
    [
      2,
      () => {
        const [service] = live().length > 0 ? [random.pick(live())] : [];
        if (service !== undefined) service.obedient = random.chance(0.6);
      },
    ],
    [4, () => clock.advance(random.below(random.chance(0.1) ? 90_000 : 2000))],
    [1, () => clock.set(random.below(7_200_000) - 3_600_000)],
  ];
  const total = actions.reduce((sum, [weight]) => sum + weight, 0);

  for (let step = 0; step < steps && wrong.length === 0; step++) {
    let at = random.below(total);
    for (const [weight, act] of actions) {
      at -= weight;
      if (at >= 0) continue;
      act();
      break;
    }
    // Some things fall into one turn of the loop.
    if (random.chance(0.3)) await Promise.resolve();
    else if (random.chance(0.8)) await settled();
  }

  say("and now all goes well");
  played.taken.clear();
  for (let left = 60; left > 0; left--) {
    for (const service of live()) {
      service.obedient = true;
      const { state } = service.snapshot();
      if (service.isEnding || state === "backoff") process(service);
      else if (["starting", "running"].includes(state)) well(service);
      else if (state === "unready") service.be("ready", { readyAt: clock.wall() });
      await Promise.resolve();
    }
    await settled();
    clock.advance(5000);
  }
  for (const unit of project.units()) {
    const { name } = unit.spec;
    const { state, why } = played.snapshot(name);
    const wish = unit.wish.state;
    const tell = (what: string) =>
      wrong.push(`at last, ${name} ${what}: ${wish}, ${state}, ${why}`);
    const isUp = aliveStates.includes(state) || state === "completed";
    const rests = wish === "unwanted" || wish === "dozing" || state === "exited";
    if (wish === "unwanted" && aliveStates.includes(stateOf(name)?.state ?? "")) tell("runs");
    if (wish === "restarting" || (wish === "renewing" && !unit.held?.isFinal)) {
      tell("is still restarted");
    }
    if (isUp || rests || name === "tick") continue;
    if (wish === "given" && state === "failed") continue;
    if (wish === "given") tell("is down");
    else if (taken.has(name)) tell("was taken down");
    else if (state !== "failed") tell("waits");
  }
  for (const its of open) wrong.push(`never settled: ${its}`);
  // A daemon that ends leaves nothing.
  const resting = project.rest();
  for (const service of played.made.values()) service.obedient = true;
  for (const service of live()) service.end();
  await resting;
  return wrong.length === 0 ? [] : [...journal, ...wrong];
}

/** A life -> its description and descriptors for another daemon; and the life there that goes on with them. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { OwnDescriptors } from "../../system/own-descriptors.ts";
import type { Ending } from "../family/ending.ts";
import type { Families, Run } from "../family/family.ts";
import { markOf } from "../family/mark.ts";
import type { BeginEffects, StartRequest } from "./begin-life.ts";
import type { Stream } from "./child.ts";
import { environmentOf } from "./environment.ts";
import type { HandedLife, HandedStreams } from "./handed-life.ts";
import { type Descriptors, streamNames } from "./held-streams.ts";
import { Hooks } from "./hooks.ts";
import { Life } from "./life.ts";
import { type Notice, noticesIn } from "./notify.ts";

/** The name of the descriptor of its notices. */
const notices = "notify";

export type HandOptions = { families: Families; own: OwnDescriptors };

/** Undefined, and nothing has changed, where its descriptors or its birth cannot be told. */
export async function handLife(
  life: Life,
  { families, own }: HandOptions,
): Promise<{ life: HandedLife; streams: HandedStreams } | undefined> {
  const { child, run, port, socket, maySpeak, hooks } = life.born;
  const { birth } = run;
  if (birth === undefined) return undefined;
  const halted = await child.halt(own);
  if (halted === undefined) return undefined;
  const streams = {
    ...halted.descriptors,
    ...(await hooks.halt(own)),
    [notices]: socket.halt(),
  };
  const { pid, startedAt, runId } = run;
  return {
    streams,
    life: {
      ...{ pid, startedAt, runId, birth, port, maySpeak },
      members: [...families.remembered(run)],
      age: life.age,
      socket: socket.path,
      speaks: life.speaks,
      isGreeted: life.isGreeted,
      isAlive: life.isAlive,
      isBuilding: life.isBuilding,
      mainPid: life.mainPid,
      exit: life.exit && { ...life.exit },
      readyAt: life.readyAt,
      status: life.status,
      listens: [...life.listens],
      listensAs: [...life.listensAs],
      warnings: [...life.warnings],
      remarks: [...life.remarks],
      watchdog: life.watchdog,
      readyBy: life.readyBy,
      isReloading: life.isReloading,
    },
  };
}

export type AdoptOptions = {
  spec: ServiceSpec;
  request: StartRequest;
  streams: HandedStreams;
  effects: BeginEffects;
  /** A line of our own in the service's log. */
  say(text: string): void;
  /** `bytes` are the callee's only until it returns. */
  onOutput(stream: Stream, bytes: Uint8Array): void;
  onNotice(notice: Notice, life: Life): void;
  onExit(how: Ending, life: Life): void;
};

export async function adoptLife(its: HandedLife, options: AdoptOptions): Promise<Life> {
  const { spec, request, streams, effects, say } = options;
  const { clock, families } = effects;
  const { pid, startedAt, runId, birth, members, port, maySpeak } = its;
  const { shell, url, trust } = request;
  const given = { shell, port, url, trust };
  let life: Life | undefined;
  const socket = await effects.adoptSocket(
    { path: its.socket, descriptor: streams[notices]! },
    (bytes) => {
      if (life === undefined) return;
      for (const notice of noticesIn(bytes)) options.onNotice(notice, life);
    },
  );
  const hooks = new Hooks(spec, {
    env: environmentOf(
      { ...spec, pty: false },
      { ...given, run: { id: runId, notifySocket: undefined } },
    ),
    mark: markOf(runId),
    clock,
    spawn: effects.spawn,
    say,
  });
  hooks.adopt(Object.fromEntries(Object.entries(streams).filter(([name]) => name.includes("/"))));
  const descriptors: Descriptors = Object.fromEntries(
    streamNames.flatMap((name) => {
      const descriptor = streams[name];
      return descriptor === undefined ? [] : [[name, descriptor]];
    }),
  );
  // Neither output, nor an end comes before this turn is over.
  const child = effects.adoptChild({
    process: { pid, birth },
    descriptors,
    ending: its.exit,
    onOutput(stream, bytes) {
      options.onOutput(stream, bytes);
      life?.watcher?.onOutput(stream, bytes);
    },
    onExit(how) {
      if (life !== undefined) options.onExit(how, life);
    },
  });
  const run: Run = { pid, startedAt, runId, birth, members };
  const env = environmentOf(spec, { ...given, run: { id: runId, notifySocket: socket.path } });
  const begun = clock.now() - its.age;
  life = new Life({ child, run, begun, env, port, socket, maySpeak, hooks }, { clock, families });
  life.isAlive = its.isAlive;
  life.isBuilding = its.isBuilding;
  life.isGreeted = its.isGreeted;
  life.mainPid = its.mainPid;
  life.exit = its.exit;
  life.readyAt = its.readyAt;
  life.status = its.status;
  life.listens = its.listens;
  life.listensAs = its.listensAs;
  life.warnings = its.warnings;
  life.remarks.push(...its.remarks);
  life.speaks = its.speaks;
  life.watchdog = its.watchdog;
  life.readyBy = its.readyBy;
  life.isReloading = its.isReloading;
  return life;
}

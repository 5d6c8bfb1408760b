/** The containers that run once for clients of this daemon -> one place that ends them, whoever dies. */
import { randomBytes } from "node:crypto";
import { isAbsolute } from "node:path";
import type { Cancel, Clock } from "../../system/clock.ts";
import { lastPartOf } from "../../text/image-name.ts";
import { engineSocket } from "../engine-socket.ts";
import { chooseEngine } from "./choose-engine.ts";
import { noteEngine, notedEngines } from "./engine-notes.ts";
import { engineNotesIn } from "./owner.ts";
import { oneOffLabels, removeAbandoned, removeRun } from "./one-off-clients.ts";
import { type OneOffEffects, type OneOffEnd, OneOffRun } from "./one-off.ts";

export type OneOffsOptions = {
  stateDirectory: string;
  /** Names this daemon's state directory among others. */
  owner: string;
  /** Sockets; undefined: the usual places. */
  only: readonly string[] | undefined;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  clock: Clock;
  uid?: number;
};

export type OneOffWanted = {
  image: string;
  words: readonly string[];
} & Pick<OneOffEffects, "onOutput" | "onProgress">;

export interface OneOffs {
  /** Its input is empty, and its output is in pipes. */
  begin(wanted: OneOffWanted): OneOffBegun;
  /** A client elsewhere waits for that run. The result removes its container, if it is still there. */
  guard(its: { socket: string; run: string }): Cancel;
  /** Removes what dead clients have left. Not waited for. */
  start(): void;
  /** From now on, it is this daemon that leaves its clients, and not the other way round. */
  leave(): void;
  /** Clients come back to this daemon. */
  comeBack(): void;
  /** Ends those that are under way. */
  stop(): Promise<void>;
}

export type OneOffBegun = {
  end: Promise<OneOffEnd>;
  pause(): void;
  resume(): void;
  stop(): void;
};

export function oneOffs(options: OneOffsOptions): OneOffs {
  const { stateDirectory, owner, only, env, home, clock } = options;
  const uid = options.uid ?? process.getuid?.() ?? 0;
  const notes = engineNotesIn(stateDirectory);
  const all = new Set<{ stop(): void; end: Promise<unknown> }>();
  let isLeft = false;

  async function ran(
    { image, words, onOutput, onProgress }: OneOffWanted,
    { signal, begun }: { signal: AbortSignal; begun(run: OneOffRun): void },
  ): Promise<OneOffEnd> {
    const chosen = await chooseEngine({ only, env, home, uid, clock, signal });
    if (signal.aborted) return { kind: "stopped" };
    if (chosen.kind === "none") return { kind: "failed", why: chosen.why };
    const { engine } = chosen;
    await noteEngine(notes, engine.socket);
    const id = randomBytes(8).toString("hex");
    const its = {
      ...{ image, words, env: [], ports: [], volumes: [], tty: false, input: false },
      name: `localhostess-run-${lastPartOf(image)}-${id.slice(0, 8)}`,
      labels: oneOffLabels({ run: id, owner }),
    };
    const run = new OneOffRun(its, { engine, clock, onOutput, onProgress, onStart() {} });
    begun(run);
    return await run.run();
  }

  return {
    begin(wanted) {
      const abort = new AbortController();
      let run: OneOffRun | undefined;
      const end = ran(wanted, {
        signal: abort.signal,
        begun(its) {
          run = its;
        },
      });
      const stop = (): void => {
        abort.abort();
        run?.stop();
      };
      const its = { stop, end };
      all.add(its);
      void end.finally(() => all.delete(its));
      return { end, stop, pause: () => run?.pause(), resume: () => run?.resume() };
    },
    guard({ socket, run }) {
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        // The client waits for its container still.
        if (isLeft) return;
        if (!isAbsolute(socket) || engineSocket(socket, { uid }).kind !== "socket") return;
        const end = removeRun({ socket, clock }, { run, owner });
        const its = { stop() {}, end };
        all.add(its);
        void end.finally(() => all.delete(its));
      };
    },
    start() {
      for (const socket of notedEngines(notes)) {
        if (engineSocket(socket, { uid }).kind !== "socket") continue;
        void removeAbandoned({ socket, clock }, owner);
      }
    },
    leave() {
      isLeft = true;
    },
    comeBack() {
      isLeft = false;
    },
    async stop() {
      for (const { stop } of all) stop();
      await Promise.all([...all].map(({ end }) => end));
    },
  };
}

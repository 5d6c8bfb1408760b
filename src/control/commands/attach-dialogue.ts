/** A service, and a client's keys and size -> its output as it is printed, and news of its process. */
import * as v from "valibot";
import type { Supervised, SupervisedState } from "../../routes/supervised.ts";
import type { SupervisedChange } from "../../routes/project-report.ts";
import type { Projects } from "../../supervisor/projects.ts";
import { type Cancel, systemClock } from "../../system/clock.ts";
import { type Backend, CommandError, type Dialogue, type Receiver } from "./command.ts";

export type AttachWanted = {
  name: string;
  project_path?: string | undefined;
  size?: { cols: number; rows: number } | undefined;
};

/** The values that a client gets, one a line. Bytes are in base64. */
export type AttachNews =
  /** The first. `terminal` is false for a service that has pipes. */
  | { attached: string; terminal: boolean }
  | { output: string }
  /** The client was slower than the service; what follows is the end of the log. */
  | { skipped: number }
  /** A change of the process: it has ended, or another one runs. */
  | { state: SupervisedState; pid: number | null; why: string | null };

/** A side of a terminal; 65535 is the kernel's limit (struct winsize). */
const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

export const sizeSchema = v.strictObject({ cols: side, rows: side });

/** The values that a client sends. */
const said = v.union([
  v.strictObject({ input: v.pipe(v.string(), v.base64()) }),
  v.strictObject({ resize: sizeSchema }),
]);

/** Bytes that wait for the client, above which it misses output; and below which it gets the end of the log. */
const enoughPending = 256 * 1024;
const fewPending = 32 * 1024;
/** Milliseconds until a client that misses output is looked at again. */
const lookAgain = 50;

/** Lines of the log that a client without a size gets at first. */
const usualRows = 24;

/** @throws CommandError where there is no such service, or it does not run. */
export async function attachDialogue(wanted: AttachWanted, backend: Backend): Promise<Dialogue> {
  const { projects, feed } = backend;
  if (projects === undefined)
    throw new CommandError("unsupported", "this daemon starts no services");
  const id = await idOf(wanted, projects);
  const known = (): Supervised | undefined => projects.snapshots().find((its) => its.id === id);
  let last = known();
  if (last?.pid === undefined) {
    const why = last?.type === "site" ? "a site, and no program" : (last?.state ?? "gone");
    throw new CommandError("not_found", `${id} is ${why}, so it has no terminal`);
  }
  return (receiver) => {
    let { size } = wanted;
    const terminal = projects.specOf(id)?.pty ?? false;
    const its = projects.attach(id, size);
    const log = projects.logs.of(id);
    const screen = (): Uint8Array => {
      const rows = log.last((size?.rows ?? usualRows) - 1);
      const end = terminal ? "\r\n" : "\n";
      const text = rows.map((line) => `${line.text}${end}`).join("") + log.prompt;
      return Buffer.from(log.isFull ? "\u001b[?1049h" : text);
    };
    const redraw = (): void => {
      if (log.isFull) its.redraw();
    };
    const output = new Output(receiver, { screen, redraw });
    receiver.next({ attached: id, terminal } satisfies AttachNews);
    output.push(screen());
    redraw();
    const untap = log.tap((bytes) => output.push(bytes));
    const unfollow = feed.follow(({ event, data }) => {
      if (event !== "supervised" || (data as SupervisedChange).service.id !== id) return;
      const { change, service } = data as SupervisedChange;
      const now =
        change === "gone" ? { ...service, state: "stopped" as const, pid: undefined } : service;
      if (now.state === last?.state && now.pid === last?.pid) return;
      if (now.pid !== last?.pid && now.pid !== undefined) its.resize(size);
      last = now;
      const { state, pid = null, why = null } = now;
      receiver.next({ state, pid, why } satisfies AttachNews);
    });
    return {
      hear(value) {
        const read = v.safeParse(said, value);
        if (!read.success) {
          throw new CommandError(
            "bad_request",
            'a line is {"input":"<base64>"} or {"resize":{"cols","rows"}}',
          );
        }
        if ("input" in read.output) its.type(Buffer.from(read.output.input, "base64"));
        else {
          size = read.output.resize;
          its.resize(size);
        }
      },
      behind: () => its.untaken,
      cancel() {
        untap();
        unfollow();
        output.stop();
        its.leave();
      },
    };
  };
}

async function idOf(wanted: AttachWanted, projects: Projects): Promise<string> {
  const { name, project_path: from } = wanted;
  const found = await projects.find(name, from);
  if (found.kind === "none") throw new CommandError("not_found", found.why);
  if (found.ids.length === 1) return found.ids[0]!;
  const why = `${name} is a project; say which service: ${found.ids.join(", ")}`;
  throw new CommandError("bad_request", why);
}

/** Gives a client what it can take. Neither the service nor anybody else waits for it. */
class Output {
  readonly #receiver: Receiver;
  readonly #screen: () => Uint8Array;
  readonly #redraw: () => void;
  #skipped = 0;
  #timer: Cancel | undefined;

  constructor(receiver: Receiver, { screen, redraw }: { screen(): Uint8Array; redraw(): void }) {
    this.#receiver = receiver;
    this.#screen = screen;
    this.#redraw = redraw;
  }

  push(bytes: Uint8Array): void {
    if (this.#skipped === 0 && this.#receiver.pending() < enoughPending) {
      const output = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
      if (bytes.length > 0) this.#receiver.next({ output } satisfies AttachNews);
      return;
    }
    this.#skipped += bytes.length;
    this.#timer ??= systemClock.after(lookAgain, () => this.#look());
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#receiver.pending() > fewPending) {
      this.#timer = systemClock.after(lookAgain, () => this.#look());
      return;
    }
    this.#receiver.next({ skipped: this.#skipped } satisfies AttachNews);
    this.#skipped = 0;
    this.push(this.#screen());
    this.#redraw();
  }
}

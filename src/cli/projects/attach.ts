/** `localhostess attach <service>` -> this terminal as the service's: its output, and what is typed here. */
import type { AttachNews } from "../../control/commands/attach-dialogue.ts";
import { ask } from "../../control/found/client.ts";
import { type Conversing, converse } from "../../control/found/conversation.ts";
import type { ApiError, ErrorCode } from "../../control/found/protocol.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import type { Flags } from "../shared/settings.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { World } from "../shared/world.ts";
import { daemonSocket, knownOf, type Row } from "./asking.ts";
import { rowsFor } from "./here.ts";
import { holdTerminal } from "./keyboard.ts";
import { leavingIn, modesIn, modesReset } from "./terminal-modes.ts";

export async function attach(service: string, flags: Flags, world: World): Promise<number> {
  const socket = await daemonSocket(flags, world);
  if (socket === undefined) return exitCode.failed;
  const found = await rowsFor([service], { ...(await knownOf(socket)), world });
  const [row, ...others] = found;
  if (row === undefined || others.length > 0) {
    const names = found.map(({ name }) => name).join(", ");
    const { instance } = found[0]!;
    const are = found.every((its) => its.instance !== null && its.instance.of === instance?.of);
    const what = are ? "has instances; attach to one" : "is a project; attach to one service";
    throw new Failure("ambiguous", `${service} ${what}: ${names}`);
  }
  const { why, code } = await attachTo(row, { socket, world });
  world.err.write(`localhostess: ${why}\n`);
  return code;
}

export type Left = { why: string; code: number };

/** Resolves when the person leaves, or the service has ended for good. @throws an Error for a person. */
export async function attachTo(
  { name, state }: Pick<Row, "name" | "state">,
  { socket, world }: { socket: string; world: World },
): Promise<Left> {
  if (ended.has(state)) {
    const start = state === "completed" ? "run it again" : "start it";
    throw new Failure("not_up", `${name} is ${state}; ${start} with: localhostess up ${name}`);
  }
  const { stdin, stdout } = process;
  const size = (): { cols: number; rows: number } | undefined =>
    stdout.isTTY && stdin.isTTY
      ? { cols: stdout.columns || usual.cols, rows: stdout.rows || usual.rows }
      : undefined;
  const over = Promise.withResolvers<Left>();
  const leave = (): void => over.resolve({ why: `left ${name}, which goes on`, code: 0 });
  let terminal: Terminal | undefined;
  let isSent = false;
  let isLeft = false;
  const sent = (): void => {
    isSent = true;
    conversation.finish();
  };
  const request = () => {
    const its = size();
    return { Attach: { name, ...(its === undefined ? {} : { size: its }) } };
  };
  /** When the conversation began: a daemon that ends each at once would be asked for ever. */
  let began = performance.now();
  const begin = (): Conversing =>
    converse(socket, request(), {
      hear(value) {
        const news = value as AttachNews | { error: ApiError<ErrorCode> };
        if (!("error" in news) && world.json !== undefined && !printJsonLine(world, news)) leave();
        if ("error" in news) over.reject(new Failure(news.error.code, news.error.message));
        else if ("attached" in news) {
          if (terminal !== undefined) terminal.say("the daemon was replaced; attached again");
          terminal ??= openTerminal(news, {
            say: (its) => conversation.say(its),
            world,
            leave,
            sent,
          });
        } else if ("output" in news) {
          if (!terminal!.show(Buffer.from(news.output, "base64"))) conversation.pause();
        } else if ("skipped" in news) {
          terminal!.say(
            `${news.skipped} bytes were skipped: they came faster than they were shown`,
          );
        } else if (ended.has(news.state)) {
          over.resolve({ why: endOf(name, news), code: news.state === "failed" ? 1 : 0 });
        } else if (news.pid === null) terminal!.say(endOf(name, news));
        else if (news.state === "running")
          terminal!.say(`${name} runs again, with pid ${news.pid}`);
      },
      ended(why) {
        if (isSent && why === undefined) over.resolve({ why: `sent to ${name}`, code: 0 });
        else if (why !== undefined || isLeft || performance.now() - began < shortest) {
          over.resolve({ why: why ?? "the daemon exited", code: 1 });
        } else {
          void ask(socket, "Status", { deadline: patience }).then(({ kind }) => {
            if (isLeft || kind !== "reply") over.resolve({ why: "the daemon exited", code: 1 });
            else {
              began = performance.now();
              conversation = begin();
            }
          });
        }
      },
    });
  let conversation = begin();
  const goOn = (): void => conversation.resume();
  stdout.on("drain", goOn);
  // The reader is gone: `localhostess attach api | head`.
  stdout.on("error", leave);
  const cancels = [
    world.onResize(() => {
      const resize = size();
      if (resize !== undefined) conversation.say({ resize });
    }),
    world.onSignal(leave),
    () => stdout.off("drain", goOn),
  ];
  try {
    return await over.promise;
  } finally {
    isLeft = true;
    for (const cancel of cancels) cancel();
    conversation.end();
    terminal?.close();
    stdout.off("error", leave);
  }
}

/** Milliseconds for an answer of the daemon that has taken over, and for which one was heard at least. */
const patience = 3000;
const shortest = 200;

/** States in which no other process begins by itself. */
const ended: ReadonlySet<Row["state"]> = new Set(["stopped", "exited", "completed", "failed"]);

/** The terminal that programs were once written for. */
const usual = { cols: 80, rows: 24 } as const;

function endOf(name: string, { state, why }: { state: Row["state"]; why: string | null }): string {
  const words = state === "exited" ? "has ended" : state === "backoff" ? "restarts" : `is ${state}`;
  return `${name} ${words}${why === null ? "" : `: ${printable(why, 300)}`}`;
}

type Terminal = {
  /** False until there is room for more. */
  show(bytes: Uint8Array): boolean;
  /** A line of our own. */
  say(text: string): void;
  close(): void;
};

type TerminalOptions = {
  /** To the daemon. */
  say(value: unknown): void;
  world: World;
  leave(): void;
  /** All that was piped to us is on its way. */
  sent(): void;
};

/** Keys go to the service one by one where it has a terminal too, and line by line where it has pipes. */
function openTerminal(
  { attached, terminal }: { attached: string; terminal: boolean },
  { say: tell, world, leave, sent }: TerminalOptions,
): Terminal {
  const { stdin, stdout } = process;
  const send = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    tell({ input: Buffer.from(bytes).toString("base64") });
  };
  const isRaw = terminal && stdin.isTTY;
  const lineEnd = isRaw ? "\r\n" : "\n";
  const say = (text: string): void => void world.err.write(`localhostess: ${text}${lineEnd}`);
  let modes = "";
  const show = (bytes: Uint8Array): boolean => {
    // With --json, stdout has the daemon's lines, as they are.
    if (world.json !== undefined) return true;
    if (stdout.isTTY) modes = modesIn(modes, Buffer.from(bytes).toString("latin1"));
    return stdout.write(bytes);
  };
  if (isRaw) {
    const close = holdTerminal({
      hear(bytes) {
        const key = leavingIn(bytes);
        send(key === undefined ? bytes : bytes.subarray(0, key));
        if (key !== undefined) leave();
      },
      restore: () => `${modesReset(modes)}\r\n`,
    });
    say(`attached to ${attached}; Ctrl-] leaves`);
    return { show, say, close };
  }
  const ofEnd = stdin.isTTY ? leave : sent;
  stdin.on("data", send);
  stdin.on("end", ofEnd);
  if (stdin.isTTY) say(`attached to ${attached}, line by line; Ctrl-D or Ctrl-C leaves`);
  return {
    show,
    say,
    close() {
      stdin.off("data", send);
      stdin.off("end", ofEnd);
      stdin.pause();
      if (stdout.isTTY) stdout.write(modesReset(modes));
    },
  };
}

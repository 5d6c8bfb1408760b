/** `localhostess container run <image>` -> a container with this terminal or these pipes, and its exit code. */
import { randomBytes } from "node:crypto";
import { fstatSync, statSync } from "node:fs";
import { constants } from "node:os";
import { chooseEngine, type Engine } from "../../containers/runs/choose-engine.ts";
import { type OneOff, type OneOffEnd, OneOffRun } from "../../containers/runs/one-off.ts";
import { oneOffLabels, removeAbandoned } from "../../containers/runs/one-off-clients.ts";
import { engineNotesIn } from "../../containers/runs/owner.ts";
import { noteEngine } from "../../containers/runs/engine-notes.ts";
import { converse } from "../../control/found/conversation.ts";
import { labelFrom } from "../../manifest/project-name.ts";
import { readPort, readVolume } from "../../manifest/types/container.ts";
import type { ExtraPort, Volume } from "../../manifest/types/own.ts";
import { systemClock } from "../../system/clock.ts";
import { type OwnInput, ownInput } from "../../system/own-input.ts";
import { PatientWriter } from "../../system/patient-writer.ts";
import { isImageName, lastPartOf } from "../../text/image-name.ts";
import { printable } from "../../text/printable.ts";
import type { FailureCode } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { findRunning } from "../shared/daemon-here.ts";
import { type Flags, type Settings, settingsOf, UsageError } from "../shared/settings.ts";
import type { StopSignal, World } from "../shared/world.ts";
import { holdTerminal } from "./keyboard.ts";
import { modesIn, modesReset } from "./terminal-modes.ts";

export type RunImageFlags = Flags & {
  interactive?: boolean;
  tty?: boolean;
  publish?: readonly string[];
  env?: readonly string[];
  volume?: readonly string[];
};

export type RunImageWanted = { image: string; command: readonly string[] };

/** Exit codes of `docker run`: it could not be run; its program is not there. */
const notRun = 125;
const notFound = 127;

/** `mistake`: why the word names no service, where it was taken for one first. */
export async function runImage(
  { image, command }: RunImageWanted,
  flags: RunImageFlags,
  { world, mistake }: { world: World; mistake?: string },
): Promise<number> {
  const read = readFlags(image, flags, world);
  const settings = await settingsOf({ json: flags.json === true }, world);
  const only = settings.config.containers?.value;
  const chosen = await chooseEngine({
    ...{ env: world.env, home: world.home, uid: process.getuid?.() ?? 0, clock: systemClock },
    only: Array.isArray(only) ? (only as readonly string[]) : undefined,
  });
  if (chosen.kind === "none") {
    const front = mistake === undefined ? "" : `${mistake}; as an image it cannot be run: `;
    return failed(`${front}${chosen.why}`, { world, code: "failed", exit: notRun });
  }
  const { engine } = chosen;
  const owner = ownerOf(settings.stateDirectory);
  await removeAbandoned({ socket: engine.socket, clock: systemClock }, owner);
  if (flags.json) printJsonLine(world, { image, command });
  const run = randomBytes(8).toString("hex");
  const named = read.ports.length > 0 ? labelFrom(lastPartOf(image)) : undefined;
  const labels = oneOffLabels({ run, owner, name: named });
  const name = `localhostess-run-${lastPartOf(image)}-${run.slice(0, 8)}`;
  const its: OneOff = { image, words: command, ...read, name, labels };
  await noteEngine(engineNotesIn(settings.stateDirectory), engine.socket);
  const unguard = await guarded({ socket: engine.socket, run }, settings);
  const { end, signal } = await followed(its, { engine, world });
  unguard();
  return exitOf(end, { image, signal, world, mistake });
}

/** Milliseconds until a daemon is taken to have heard. */
const guardPatience = 1000;

/** Milliseconds between two looks for the daemon that replaces one which has left, and how many there are. */
const guardPeriod = 500;
const guardLooks = 60;

/**
 * A daemon that runs removes the container, should this process be killed, and so does the one that replaces it.
 * Without one, the next command does.
 */
async function guarded(
  its: { socket: string; run: string },
  settings: Settings,
): Promise<() => void> {
  let isOver = false;
  let end = (): void => {};
  let left = guardLooks;
  const lookAgain = (): void => {
    if (!isOver && left-- > 0) end = systemClock.after(guardPeriod, () => void look());
  };
  const look = async (): Promise<void> => {
    const found = await findRunning(settings, { mentions: false });
    if (isOver) return;
    if (found.kind !== "healthy") {
      // The next one is on its way.
      if (left < guardLooks) lookAgain();
      return;
    }
    const heard = Promise.withResolvers<void>();
    const conversation = converse(
      found.registration.socket,
      { GuardContainer: its },
      {
        hear: () => heard.resolve(),
        ended() {
          heard.resolve();
          lookAgain();
        },
      },
    );
    end = () => conversation.end();
    const cancel = systemClock.after(guardPatience, heard.resolve);
    await heard.promise;
    cancel();
  };
  await look();
  return () => {
    isOver = true;
    end();
  };
}

/** As the daemon of that state directory names its own containers. */
export function ownerOf(stateDirectory: string): string {
  return new Bun.CryptoHasher("sha256").update(stateDirectory).digest("hex").slice(0, 16);
}

type Read = Pick<OneOff, "env" | "ports" | "volumes" | "tty" | "input">;

/** @throws UsageError with every mistake. */
function readFlags(image: string, flags: RunImageFlags, world: World): Read {
  const mistakes: string[] = [];
  const wrong = (what: string): [] => {
    mistakes.push(what);
    return [];
  };
  if (!isImageName(image)) wrong(`${printable(image, 100)} is no image; write it as redis:7`);
  const ports = (flags.publish ?? []).flatMap(
    (its): ExtraPort | [] =>
      readPort(its) ?? wrong(`-p ${printable(its, 100)}: expected 80, 8080:80 or 53:53/udp`),
  );
  const volumes = (flags.volume ?? []).flatMap(
    (its): Volume | [] =>
      readVolume(its, { directory: world.cwd, home: world.home }) ??
      wrong(`-v ${printable(its, 100)}: expected ./folder:/path, name:/path or either with :ro`),
  );
  const env = (flags.env ?? []).flatMap((its) => {
    const name = its.split("=", 1)[0]!;
    if (name === "") return wrong(`-e ${printable(its, 100)}: expected NAME=value, or NAME`);
    // The value of our own variable is not typed, and so is in no list of processes.
    const value = its.includes("=") ? its : world.env[name] && `${name}=${world.env[name]}`;
    return value === undefined || value === "" ? [] : [value];
  });
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (flags.tty === true && !isTerminal) wrong("-t: this is no terminal; leave it out");
  if (mistakes.length > 0) throw new UsageError(mistakes);
  const tty = isTerminal && flags.tty !== false && world.json === undefined;
  return { env, ports, volumes, tty, input: tty || flags.interactive === true || isPiped() };
}

/** Whether somebody may have something for it: a pipe, a file, a socket, but not /dev/null or a closed descriptor. */
function isPiped(): boolean {
  try {
    const its = fstatSync(0);
    return !its.isCharacterDevice() || (process.stdin.isTTY !== true && !isNull(its.rdev));
  } catch {
    // EBADF: it is closed.
    return false;
  }
}

function isNull(device: number): boolean {
  return device === statSync("/dev/null").rdev;
}

type Followed = { end: OneOffEnd; signal: StopSignal | undefined };

async function followed(
  its: OneOff,
  { engine, world }: { engine: Engine; world: World },
): Promise<Followed> {
  let signal: StopSignal | undefined;
  let isRunning = false;
  let modes = "";
  const { stdin, stdout } = process;
  const goOn = (): void => run.resume();
  const out = new PatientWriter(world.json === undefined ? 1 : 2, {
    clock: systemClock,
    onRoom: goOn,
  });
  const err = new PatientWriter(2, { clock: systemClock, onRoom: goOn });
  const progress = progressOn(world);
  let input: OwnInput | undefined;
  let giveBack = (): void => {};
  const run = new OneOffRun(its, {
    ...{ engine, clock: systemClock, onProgress: progress.show },
    onStart() {
      progress.clear();
      isRunning = true;
      if (its.tty) {
        resize();
        const hear = (bytes: Uint8Array): void => {
          if (!run.write(bytes)) stdin.pause();
        };
        giveBack = holdTerminal({ hear, restore: () => modesReset(modes) });
      } else if (its.input) {
        input = ownInput({ onBytes: (bytes) => run.write(bytes), onEnd: () => run.finish() });
      }
    },
    onOutput(stream, bytes) {
      if (its.tty) modes = modesIn(modes, Buffer.from(bytes).toString("latin1"));
      const writer = stream === "stdout" ? out : err;
      if (!writer.write(bytes)) run.pause();
      // `localhostess run alpine yes | head`: whoever reads has enough.
      if (writer.isDeaf) run.stop();
    },
    onDrain() {
      if (its.tty) stdin.resume();
      else input?.goOn();
    },
  });
  const resize = (): void => run.resize({ cols: stdout.columns || 80, rows: stdout.rows || 24 });
  const cancels = [
    world.onSignal((its) => {
      const isFirst = signal === undefined;
      signal = its;
      // The program decides what Ctrl-C means to it, once.
      if (its === "SIGINT" && isRunning && isFirst) run.kill("SIGINT");
      else run.stop();
    }),
    ...(its.tty ? [world.onResize(resize)] : []),
  ];
  const end = await run.run();
  for (const cancel of cancels) cancel();
  progress.clear();
  input?.stop();
  await Promise.all([out.flushed(), err.flushed()]);
  giveBack();
  return { end, signal };
}

/** The progress of a pull: one line that changes, or where nobody sees that, its first. */
function progressOn({ err }: World): { show(text: string): void; clear(): void } {
  let isShown = false;
  const isTerminal = err.columns() !== undefined;
  return {
    show(text) {
      const line = printable(text, (err.columns() ?? 200) - 1);
      if (isTerminal) err.write(`\r\u001b[K${line}`);
      else if (!isShown) err.write(`localhostess: ${line}\n`);
      isShown = true;
    },
    clear() {
      if (isShown && isTerminal) err.write("\r\u001b[K");
      isShown = false;
    },
  };
}

type Exiting = {
  image: string;
  signal: StopSignal | undefined;
  world: World;
  mistake: string | undefined;
};

function exitOf(end: OneOffEnd, { image, signal, world, mistake }: Exiting): number {
  if (end.kind === "exited") return end.code;
  if (end.kind === "stopped") {
    if (world.json !== undefined) world.json.code = "interrupted";
    return signal === undefined ? 0 : 128 + constants.signals[signal];
  }
  const { why, lacks } = end;
  const isImage = lacks === "image" || lacks === "registry";
  const text = isImage && mistake !== undefined ? `${mistake}; ${why}` : `${image}: ${why}`;
  return failed(text, {
    ...{ world, code: lacks === "image" ? "not_found" : "failed" },
    exit: lacks === "program" ? notFound : notRun,
  });
}

function failed(
  why: string,
  { world, code, exit }: { world: World; code: FailureCode; exit: number },
): number {
  if (world.json !== undefined) world.json.code = code;
  world.err.write(`localhostess: ${printable(why, 2000)}\n`);
  return exit;
}

/** A terminal's bytes -> keys, one by one; the terminal is restored, however the process ends. */
import type { Cancel } from "../../system/clock.ts";

/** Names of keys that send more than a letter. */
const named: Record<string, string> = {
  "\x1b[A": "up",
  "\x1bOA": "up",
  "\x1b[B": "down",
  "\x1bOB": "down",
  "\x1b[5~": "page up",
  "\x1b[6~": "page down",
  "\x1b[H": "home",
  "\x1b[F": "end",
  "\r": "enter",
  "\n": "enter",
  "\x03": "ctrl-c",
  "\x04": "ctrl-d",
  "\x1b": "escape",
};

/** Text that came in one piece -> its keys. Unknown escape sequences are ignored. */
export function keysIn(text: string): string[] {
  const found = text.match(/\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[A-Z]|[\s\S]/g) ?? [];
  return found.flatMap((piece) => named[piece] ?? (piece.length === 1 ? [piece] : []));
}

const enter = "\x1b[?1049h\x1b[?25l";
const leave = "\x1b[?25h\x1b[?1049l";

/** Takes the terminal over: an alternate screen, no cursor, raw keys. The result, or the exit, restores it. */
export function takeTerminal(onKey: (key: string) => void): Cancel {
  const giveBack = holdTerminal({
    hear(bytes) {
      for (const key of keysIn(Buffer.from(bytes).toString())) onKey(key);
    },
    restore: () => leave,
  });
  process.stdout.write(enter);
  return giveBack;
}

export type HoldOptions = {
  hear(bytes: Uint8Array): void;
  /** Sequences that restore the screen. */
  restore(): string;
};

/** Takes the keys as they are typed. The result, or the exit, restores the terminal; calling it twice is harmless. */
export function holdTerminal({ hear, restore }: HoldOptions): Cancel {
  const { stdin, stdout } = process;
  const heard = (bytes: Buffer): void => hear(bytes);
  let taken = true;
  const giveBack = (): void => {
    if (!taken) return;
    taken = false;
    process.off("exit", giveBack);
    process.off("uncaughtException", crashed);
    process.off("unhandledRejection", crashed);
    stdin.off("data", heard);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(restore());
  };
  // Text that is written before the screen is restored is lost with it.
  const crashed = (fault: unknown): void => {
    giveBack();
    process.stderr.write(`localhostess: ${fault instanceof Error ? fault.stack : fault}\n`);
    process.exit(1);
  };
  process.on("exit", giveBack);
  process.on("uncaughtException", crashed);
  process.on("unhandledRejection", crashed);
  stdin.setRawMode(true);
  stdin.on("data", heard);
  stdin.resume();
  return giveBack;
}

/** Nothing -> a descriptor for a process to come, and all that it has written there. */
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { type OutputReader, pipes } from "./pipes.ts";

export type Spoken = {
  /** No process has it yet. */
  descriptor: number;
  /** To be called once, after the process has ended. Undefined: it was more than `most`. */
  text(): Promise<string | undefined>;
};

export type SpokenOptions = {
  platform: string;
  /** Bytes. */
  most: number;
};

/** Milliseconds for what is on its way when nobody writes any longer: another process may have the descriptor still. */
const drain = 1000;

/** @throws the system's error, with `code`. */
export function spoken({ platform, most }: SpokenOptions): Spoken {
  const pipe = pipes(platform)?.fromProcess();
  return pipe === undefined ? byFile(most) : byPipe(pipe, most);
}

/** Linux: `>/dev/fd/3` opens a pipe again, and would empty a file. */
function byPipe(
  { reader, theirs }: { reader: OutputReader; theirs: number },
  most: number,
): Spoken {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || value === undefined) return;
      length += value.length;
      // Read on: the process would wait for us.
      if (length <= most) pieces.push(value);
    }
  };
  const done = read();
  return {
    descriptor: theirs,
    async text() {
      closeSync(theirs);
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, drain);
      await Promise.race([done, late.promise]);
      clearTimeout(timer);
      void reader.cancel().catch(() => {
        // The pipe was read to its end.
      });
      return length > most ? undefined : Buffer.concat(pieces).toString("utf8");
    },
  };
}

/** macOS: `/dev/fd/3` duplicates the descriptor. */
function byFile(most: number): Spoken {
  const path = join(tmpdir(), `localhostess-${crypto.randomUUID()}`);
  const descriptor = openSync(path, "wx+", 0o600);
  return {
    descriptor,
    async text() {
      const bytes = readFileSync(path);
      closeSync(descriptor);
      rmSync(path, { force: true });
      return bytes.length > most ? undefined : bytes.toString("utf8");
    },
  };
}

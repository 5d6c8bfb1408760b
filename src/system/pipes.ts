/** Nothing -> pipes between us and a process to come, which Bun's loop reads and writes without a thread. Uses libc. */
import { closeSync, fstatSync } from "node:fs";
import { libc } from "./libc.ts";
import { refusedDescriptor } from "./refused-descriptor.ts";

/** A pipe's other end, for a process to come. */
type Theirs = {
  /** Descriptor of that end. No process has it yet, and the caller closes it. */
  theirs: number;
  /** By which our end is found again. */
  inode: number;
};

export interface Pipes {
  /** The process writes and we read. @throws the system's error, with `code`. */
  fromProcess(): Theirs & { reader: OutputReader };
  /** We write and the process reads. @throws the system's error, with `code`. */
  toProcess(): Theirs & { sink: Bun.FileSink };
}

/** Common to a descriptor's stream and to the one that Bun.spawn makes. */
export type OutputReader = {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
};

/** Bun 1.4.5 duplicates the descriptor here, and closes its copy at the end of the output, or when it is cancelled. */
export function readerOf(descriptor: number): OutputReader {
  return Bun.file(descriptor).stream().getReader();
}

/** Bun makes its own copy here too. */
export function sinkOf(descriptor: number): Bun.FileSink {
  return Bun.file(descriptor).writer();
}

/** fcntl(2) and open(2), Linux: the same on every processor that Bun runs on. */
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/**
 * Bun.spawn's own pipes are sockets. On Linux a socket cannot be opened by a path: `echo x > /dev/stderr` fails with
 * ENXIO. Undefined on systems where /dev/stderr duplicates the descriptor instead, and where there is no C library.
 */
export function pipes(platform: string): Pipes | undefined {
  if (platform !== "linux") return undefined;
  const calls = libc({
    pipe2: { args: ["ptr", "i32"], returns: "i32" },
    fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  });
  if (calls === undefined) return undefined;
  const ends = new Int32Array(2);

  /** Opens a pipe with `ours` as its end that never blocks, and hands that one to `take`, which makes its own copy. */
  function open<T>(ours: "read" | "write", take: (descriptor: number) => T): Theirs & { its: T } {
    // Flags of one end are not the other's: a process expects that its own end blocks.
    if (calls!.pipe2(ends, O_CLOEXEC) !== 0) {
      throw Object.assign(new Error("no pipe could be opened"), {
        code: refusedDescriptor("/dev/null", 2),
      });
    }
    const [read, write] = ends as unknown as [number, number];
    const [mine, theirs] = ours === "read" ? [read, write] : [write, read];
    // A process may read what it has written, through /proc: a read of ours that began would then block us all.
    calls!.fcntl(mine, F_SETFL, O_NONBLOCK);
    try {
      return { its: take(mine), theirs, inode: fstatSync(mine).ino };
    } catch (error) {
      closeSync(theirs);
      throw error;
    } finally {
      closeSync(mine);
    }
  }

  return {
    fromProcess() {
      const { its, ...pipe } = open("read", readerOf);
      return { reader: its, ...pipe };
    },
    toProcess() {
      const { its, ...pipe } = open("write", sinkOf);
      return { sink: its, ...pipe };
    },
  };
}

/** A pipe or terminal that leads into a process -> bytes written in their order, and how many are not read yet. */

export interface Entry {
  /** `bytes` are the caller's again when it returns. */
  write(bytes: Uint8Array): void;
  readonly untaken: number;
  /** The end of what is written. Twice is harmless. */
  end(): void;
}

export function entryOf(sink: Bun.FileSink): Entry {
  let untaken = 0;
  const failed = (): void => {
    // The process has closed its end, or is gone, and reads nothing any more.
    untaken = 0;
  };
  return {
    write(bytes) {
      untaken += bytes.length;
      try {
        Promise.resolve(sink.write(bytes.slice())).catch(failed);
        Promise.resolve(sink.flush()).then(() => {
          untaken = 0;
        }, failed);
      } catch {
        failed();
      }
    },
    get untaken() {
      return untaken;
    },
    end() {
      try {
        Promise.resolve(sink.end()).catch(failed);
      } catch {
        failed();
      }
    },
  };
}

/** A link -> a Node stream, for libraries that need one. */
import type { Duplex } from "node:stream";
import type { Link } from "./link.ts";

type Written = (error?: Error | null) => void;

/** Takes over the link's events. `first`: bytes already read from the link. `fault`: called with our own faults. */
export function linkStream(
  link: Link,
  { first, fault }: { first: Uint8Array; fault: (fault: unknown) => void },
): Duplex {
  let waiting: Written | undefined;
  // Loaded with the first of them: a daemon at rest need not hold Node's streams.
  const { Duplex } = process.getBuiltinModule("node:stream");
  const stream = new Duplex({
    allowHalfOpen: true,
    read() {
      link.resume();
    },
    write(chunk: Buffer, _encoding, written) {
      if (link.write(chunk, 0, chunk.length)) written();
      else waiting = written;
    },
    final(written) {
      link.halfClose();
      written();
    },
    destroy(error, destroyed) {
      if (error === null) link.close();
      else link.abort();
      destroyed(error);
    },
  });
  link.handler = {
    data(bytes) {
      if (!stream.push(Buffer.from(bytes))) link.pause();
    },
    drained() {
      const written = waiting;
      waiting = undefined;
      written?.();
    },
    ended() {
      stream.push(null);
    },
    closed(cause) {
      stream.destroy(cause);
    },
    failed(reason) {
      fault(reason);
      stream.destroy();
    },
  };
  if (first.length > 0) stream.push(Buffer.from(first));
  return stream;
}

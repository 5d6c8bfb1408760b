/** An address and a port -> whether the server there speaks HTTP/2, found out by trying. */
import type { Clock } from "../system/clock.ts";
import { encode } from "../wire/bytes.ts";
import { beginsWithFrame } from "../wire/h2/begins-with-frame.ts";
import { dial } from "./dial.ts";
import { type LinkHandler, nobody } from "./link.ts";

/** Milliseconds. A dev server that is compiling may stay silent that long. */
const patience = 2_000;

/** The client's preface and empty SETTINGS. RFC 9113 section 3.4. */
const hello = new Uint8Array([
  ...encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  ...[0, 0, 0, 4, 0, 0, 0, 0, 0],
]);

/**
 * Connects once, with TLS or without, says that we speak HTTP/2, and closes again. False if the server says something
 * else, or nothing, in time.
 */
export function speaksH2(
  { address, port, secured }: { address: string; port: number; secured: boolean },
  clock: Clock,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const tls = secured ? { serverName: "", protocols: ["h2", "http/1.1"] } : undefined;
  let close = (): void => {};
  const listener: LinkHandler = {
    ...nobody,
    data: (bytes) => resolve(beginsWithFrame(bytes)),
    ended: () => resolve(false),
    closed: () => resolve(false),
  };
  const cancelDial = dial(
    { address, port, tls },
    {
      connected(link, protocol) {
        if (secured) {
          link.close();
          resolve(protocol === "h2");
          return;
        }
        close = () => link.close();
        link.handler = listener;
        link.write(hello, 0, hello.length);
      },
      failed: () => resolve(false),
      unsecured: () => resolve(false),
    },
    nobody,
  );
  const cancelTimer = clock.after(patience, () => resolve(false));
  return promise.finally(() => {
    cancelTimer();
    cancelDial();
    close();
  });
}

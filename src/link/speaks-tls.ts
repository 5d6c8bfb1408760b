/** An address and a port -> whether the server there speaks TLS, found out by trying. */
import type { Clock } from "../system/clock.ts";
import { dial } from "./dial.ts";
import { nobody } from "./link.ts";

/** Milliseconds. A dev server that is compiling may stay silent that long. */
const patience = 2_000;

/**
 * Connects once and closes again, with a proper TLS closure if possible, so that the server has nothing to complain
 * about. Undefined if the server says nothing in time or cannot be reached: the next dial then finds out more.
 */
export function speaksTls(
  { address, port }: { address: string; port: number },
  clock: Clock,
): Promise<boolean | undefined> {
  const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
  const cancelDial = dial(
    { address, port, tls: { serverName: "" } },
    {
      connected(link) {
        link.close();
        resolve(true);
      },
      failed: () => resolve(undefined),
      // An alert is a TLS record, just like a certificate.
      unsecured: ({ kind }) => resolve(kind === "refused"),
    },
    nobody,
  );
  const cancelTimer = clock.after(patience, () => {
    cancelDial();
    resolve(undefined);
  });
  return promise.finally(cancelTimer);
}

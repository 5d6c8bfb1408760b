/** An address and a port into whether TLS is spoken there, found out by trying. */
import type { Clock } from "../system/clock.ts";
import { dial } from "./dial.ts";
import { nobody } from "./link.ts";

/** Milliseconds. A dev server that compiles says nothing for as long. */
const patience = 2_000;

/**
 * Connects once, and lets go: in TLS's own way where it can, so that the server has nothing to complain of. Undefined
 * where nothing was said in time, or nothing can be reached: whoever dials then finds out more.
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
      // An alert is a record of TLS as much as a certificate is.
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

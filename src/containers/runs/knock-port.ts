/** A published port -> whether the program inside the container answers there, and not only the engine's relay. */
import { connect } from "node:net";
import type { Clock } from "../../system/clock.ts";

/**
 * Milliseconds in which a relay closes a connection that nobody inside takes. docker-proxy, rootlesskit and
 * rootlessport accept first, and look for the program then: it took them less than 5 ms on two busy cores.
 */
const patience = 300;

export type Knocked =
  /** Something has come, or the connection stays. */
  | { kind: "answers" }
  /** `why` is a clause about the port. */
  | { kind: "closed"; why: string };

export function knockPort(
  port: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Knocked> {
  const { promise, resolve } = Promise.withResolvers<Knocked>();
  const socket = connect({ port, host: "127.0.0.1" });
  const settle = (knocked: Knocked): void => {
    cancel();
    signal.removeEventListener("abort", given);
    // Not by a reset: servers write those into their logs.
    socket.end();
    socket.unref();
    resolve(knocked);
  };
  const given = (): void => settle({ kind: "closed", why: "nobody waits for it" });
  let cancel = clock.after(patience, () => settle({ kind: "closed", why: "it is not connected" }));
  socket.on("connect", () => {
    cancel();
    cancel = clock.after(patience, () => settle({ kind: "answers" }));
  });
  socket.on("data", () => settle({ kind: "answers" }));
  socket.on("end", () => settle({ kind: "closed", why: "nothing inside listens on its port" }));
  socket.on("error", () => settle({ kind: "closed", why: "nothing inside listens on its port" }));
  socket.on("close", () => settle({ kind: "closed", why: "nothing inside listens on its port" }));
  signal.addEventListener("abort", given, { once: true });
  if (signal.aborted) given();
  return promise;
}

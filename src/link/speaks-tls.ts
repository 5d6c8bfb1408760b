/** An address and a port into whether TLS is spoken there, found out by trying. */
import type { Clock } from "../system/clock.ts";

/** Milliseconds. A server of the same machine says something to a hello long before, unless it is busy. */
const patience = 250;

/**
 * Connects once, and lets go. Undefined where nothing was said in time, or nothing can be reached: whoever dials then
 * finds out more.
 */
export function speaksTls(
  { address, port }: { address: string; port: number },
  clock: Clock,
): Promise<boolean | undefined> {
  const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
  const cancel = clock.after(patience, () => resolve(undefined));
  Bun.connect({
    hostname: address,
    port,
    // Whose certificate it is does not matter here: it only shows that there is one.
    tls: { rejectUnauthorized: false },
    socket: {
      data() {},
      handshake(socket, success, error) {
        resolve(success || isAboutCertificate(error));
        socket.terminate();
      },
      close: () => resolve(false),
      connectError: () => resolve(undefined),
    },
  }).catch(() => resolve(undefined));
  return promise.finally(cancel);
}

/** OpenSSL's verdicts on certificates have names such as CERT_HAS_EXPIRED; the system's errors are one word. */
function isAboutCertificate(error: Error | null): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && !/^E[A-Z0-9]+$/.test(code);
}

/** An address and a port into whether TLS is spoken there, found out by trying. */

/** Milliseconds: a server of the same machine that takes longer to answer a hello does not speak TLS. */
const patience = 1_000;

/** Connects once, and lets go. False also where nothing can be reached: whoever dials then says so better. */
export function speaksTls({ address, port }: { address: string; port: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), patience);
  Bun.connect({
    hostname: address,
    port,
    // Whose certificate it is does not matter here: it only shows that there is one.
    tls: { rejectUnauthorized: false },
    socket: {
      data() {},
      handshake(socket, success) {
        resolve(success);
        socket.terminate();
      },
      close: () => resolve(false),
      connectError: () => resolve(false),
    },
  }).catch(() => resolve(false));
  return promise.finally(() => clearTimeout(timer));
}

/** A port that speaks TLS into a raw end inside of it. */
import type { Socket } from "bun";
import { type RawEnd, rawEvents } from "./raw-end.ts";

export type SecureOptions = {
  /** PEM of the only authority it trusts. */
  ca: string;
  serverName?: string;
};

/** `protocol`: the one that is offered, none where it is not given; `make`: what the bytes inside go to. */
export async function connectSecure<E extends RawEnd>(
  port: number,
  { ca, serverName = "api.localhost" }: SecureOptions,
  { protocol, make }: { protocol?: "h2" | "http/1.1"; make: (socket: Socket<RawEnd>) => E },
): Promise<E> {
  const { promise, resolve, reject } = Promise.withResolvers<E>();
  // Bun takes the list of protocols as it goes over the wire.
  const offered = protocol && { ALPNProtocols: String.fromCharCode(protocol.length) + protocol };
  const { data, drain, end, close, error } = rawEvents;
  await Bun.connect<RawEnd>({
    hostname: "127.0.0.1",
    port,
    data: undefined as unknown as RawEnd,
    tls: { ca, serverName, ...offered },
    socket: {
      data,
      drain,
      end,
      close,
      error,
      open(socket) {
        socket.data = make(socket);
      },
      handshake(socket, authorized, failure) {
        if (authorized) resolve(socket.data as E);
        else reject(failure ?? new Error("the handshake failed"));
      },
    },
  });
  return promise;
}

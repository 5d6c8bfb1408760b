/** The sockets on which a daemon listens -> an answer of the handover, and back, each beside its descriptor. */
import { closeSync } from "node:fs";
import * as v from "valibot";
import type { Ready } from "../../link/listen-on-both.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

const place = v.variant("as", [
  v.object({
    /** The proxy's main port, its further ones, the HTTP API, and the API's port that open pages know. */
    as: v.picklist(["main", "http", "https", "api", "page"]),
    /** The address as it was bound. */
    address: v.picklist(["127.0.0.1", "::1", "0.0.0.0", "::"]),
    port,
  }),
  v.object({
    /** The socket for commands: the number of its file tells whether it is still the one at that path. */
    as: v.literal("ipc"),
    path: v.pipe(v.string(), v.startsWith("/")),
    inode: v.pipe(v.string(), v.regex(/^\d{1,20}$/)),
  }),
]);

export type SocketPlace = v.InferOutput<typeof place>;
export type TcpPlace = Exclude<SocketPlace, { as: "ipc" }>;
export type IpcPlace = Extract<SocketPlace, { as: "ipc" }>;

export type HandedSocket = { place: SocketPlace; descriptor: number };

/** A daemon has two for each of its ports. */
const most = 16;

const answer = v.object({ sockets: v.pipe(v.array(place), v.maxLength(most)) });

/** Undefined where the value is none of ours, or descriptors are missing. */
export function handedSockets(
  value: unknown,
  descriptors: readonly number[],
): HandedSocket[] | undefined {
  const read = v.safeParse(answer, value);
  if (!read.success || read.output.sockets.length !== descriptors.length) return undefined;
  return read.output.sockets.map((its, index) => ({ place: its, descriptor: descriptors[index]! }));
}

export function isProxySocket(place: SocketPlace): place is TcpPlace {
  return place.as === "main" || place.as === "http" || place.as === "https";
}

/** Takes those out of `sockets` whose place fits; their descriptors are the caller's. */
export function takeSockets<Place extends SocketPlace>(
  sockets: HandedSocket[],
  fits: (place: SocketPlace) => place is Place,
): { place: Place; descriptor: number }[] {
  const taken: { place: Place; descriptor: number }[] = [];
  for (const one of [...sockets]) {
    const { place: its, descriptor } = one;
    if (!fits(its)) continue;
    taken.push({ place: its, descriptor });
    sockets.splice(sockets.indexOf(one), 1);
  }
  return taken;
}

/** `close` closes those that nobody has listened on. */
export function readySockets(sockets: readonly { place: TcpPlace; descriptor: number }[]): {
  ready: Ready;
  close(): void;
} {
  const left = new Map(sockets.map((its) => [`${its.place.address} ${its.place.port}`, its]));
  return {
    ready(address, port) {
      const key = `${address} ${port}`;
      const found = left.get(key);
      left.delete(key);
      return found?.descriptor;
    },
    close() {
      for (const { descriptor } of left.values()) closeSync(descriptor);
      left.clear();
    },
  };
}

/** The descriptor of a connected Unix socket -> the user at its other end, as the kernel reports it. Uses libc. */
import { dlopen } from "bun:ffi";

export interface PeerCredentials {
  /** The uid; undefined if this system does not report it, or no longer knows it. */
  uidOf(descriptor: number): number | undefined;
}

/** unix(7), socket(7): Linux on x86-64 and arm64. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid and gid, four bytes each. */
const ucredLength = 12;
const noUid = 0xffff_ffff;

const linuxLibraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
const macLibraries = ["libSystem.B.dylib"];

const getsockopt = {
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
} as const;
/** getpeereid(3): the call of macOS and the BSDs. */
const getpeereid = {
  getpeereid: { args: ["i32", "ptr", "ptr"], returns: "i32" },
} as const;

const unknown: PeerCredentials = { uidOf: () => undefined };

export function peerCredentials(platform: NodeJS.Platform): PeerCredentials {
  if (platform === "linux") return byPeercred();
  if (platform === "darwin") return byPeereid();
  return unknown;
}

function byPeercred(): PeerCredentials {
  const libc = open(linuxLibraries, (library) => dlopen(library, getsockopt).symbols);
  if (libc === undefined) return unknown;
  const ucred = new Uint32Array(3);
  const length = new Uint32Array(1);
  return {
    uidOf(descriptor) {
      length[0] = ucredLength;
      const failed = libc.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0;
      if (failed || length[0] !== ucredLength) return undefined;
      // The kernel reports this uid for a socket without a peer.
      return ucred[1] === noUid ? undefined : ucred[1];
    },
  };
}

function byPeereid(): PeerCredentials {
  const libc = open(macLibraries, (library) => dlopen(library, getpeereid).symbols);
  if (libc === undefined) return unknown;
  const uid = new Uint32Array(1);
  const gid = new Uint32Array(1);
  return {
    uidOf: (descriptor) => (libc.getpeereid(descriptor, uid, gid) === 0 ? uid[0] : undefined),
  };
}

function open<Symbols>(
  libraries: readonly string[],
  load: (library: string) => Symbols,
): Symbols | undefined {
  for (const library of libraries) {
    try {
      return load(library);
    } catch {
      // Another system's name for the library; the next one may exist here.
    }
  }
  return undefined;
}

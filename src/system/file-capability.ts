/** A file -> the capabilities that its program has when it is started: capabilities(7), Linux. Uses libc. */
import { libc } from "./libc.ts";

export type FileCapability =
  /** Each a bit by its number in capabilities(7). `isEffective`: the program has them from its first instruction. */
  | { kind: "capabilities"; permitted: bigint; inheritable: bigint; isEffective: boolean }
  | { kind: "none" };

export const CAP_NET_BIND_SERVICE = 10n;

/** struct vfs_ns_cap_data, the longest of them. */
const longest = 24;

const signatures = { getxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" } } as const;

export function fileCapability(path: string): FileCapability {
  const calls = libc(signatures);
  const value = new Uint8Array(longest);
  const [file, name] = [`${path}\0`, "security.capability\0"].map((text) => Buffer.from(text));
  const length = Number(calls?.getxattr(file!, name!, value, longest) ?? -1);
  return readCapability(value.subarray(0, Math.max(0, length)));
}

/** Its right is to listen on ports of root's, from the beginning, and nothing else. Pure. */
export function mayBindAlone(capability: FileCapability): boolean {
  return (
    capability.kind === "capabilities" &&
    capability.isEffective &&
    capability.permitted === 1n << CAP_NET_BIND_SERVICE &&
    capability.inheritable === 0n
  );
}

/** VFS_CAP_REVISION_2 and _3 of linux/capability.h, whose numbers are little-endian. Pure. */
export function readCapability(value: Uint8Array): FileCapability {
  if (value.length < 20) return { kind: "none" };
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const magic = view.getUint32(0, true);
  const revision = magic >>> 24;
  if (revision !== 2 && revision !== 3) return { kind: "none" };
  const word = (at: number): bigint => BigInt(view.getUint32(at, true));
  return {
    kind: "capabilities",
    permitted: word(4) | (word(12) << 32n),
    inheritable: word(8) | (word(16) << 32n),
    isEffective: (magic & 1) === 1,
  };
}

/** `--scanner procfs|lsof|auto` and this machine -> the source that scans it. */
import { closeSync, openSync } from "node:fs";
import type { LsofOptions } from "./lsof.ts";
import type { Source } from "./observation.ts";
import { procfsSource } from "./procfs.ts";

export const scannerKinds = ["auto", "procfs", "lsof"] as const;

export type ScannerKind = (typeof scannerKinds)[number];

export type SourceOptions = {
  /** The user whose processes are shown. */
  uid: number;
  allUsers?: boolean;
  /** Where procfs is mounted. */
  root?: string;
};

function hasProcfs(root: string): boolean {
  try {
    closeSync(openSync(`${root}/net/tcp`, "r"));
    return true;
  } catch {
    // Not Linux, not mounted, or not readable for us: lsof is used.
    return false;
  }
}

/** Its code is loaded for the first scan: `ls` has 40 ms for everything, and Linux does not need it. */
function portable(options: LsofOptions): Source {
  let source: Promise<Source> | undefined;
  return {
    kind: "lsof",
    async scan() {
      source ??= import("./lsof.ts").then(({ lsofSource }) => lsofSource(options));
      return await (await source).scan();
    },
  };
}

/** `auto` selects procfs if its table of TCP sockets can be read (Linux), or else lsof. */
export function chooseSource(
  kind: ScannerKind,
  { uid, allUsers = false, root = "/proc" }: SourceOptions,
): Source {
  if (kind === "lsof") return portable({ uid, allUsers });
  if (hasProcfs(root)) return procfsSource({ uid, allUsers, root });
  if (kind === "auto") return portable({ uid, allUsers });
  throw new Error(
    `--scanner procfs needs ${root}/net/tcp, which only Linux has; use --scanner lsof`,
  );
}

/** A part of an installation, as `uninstall` shows it and takes it away: shapes only. */
import type { MachineFlags } from "../shared/machine.ts";
import type { Settings } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export const pieceIds = [
  "service",
  "daemons",
  "setup",
  "authority",
  "volumes",
  "shells",
  "databases",
  "state",
  "configuration",
  "cache",
  "sockets",
  "program",
] as const;

export type Piece = {
  id: (typeof pieceIds)[number];
  /** For people: a noun with its number or size, such as "2 daemons". */
  what: string;
  /** Paths, names and commands, each a line. */
  details: readonly string[];
  /** Nobody can make it again. */
  isData: boolean;
  /** @throws Error with a sentence. Twice is harmless. */
  remove(): Promise<void>;
};

export type UninstallFlags = MachineFlags & {
  yes?: boolean;
  dryRun?: boolean;
  keepData?: boolean;
};

export type Here = {
  flags: UninstallFlags;
  settings: Settings;
  world: World;
};

export type Found = {
  pieces: readonly Piece[];
  /** Sentences about what stays, and why. */
  notes: readonly string[];
};

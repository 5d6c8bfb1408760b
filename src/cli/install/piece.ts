/** A part of an installation, as `uninstall` shows it and takes it away: the shape only. */

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

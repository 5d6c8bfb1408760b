/** The formats of a dump, as they are asked for. Beside the verb, which the grammar need not load. */

/** `plain`: SQL. `custom`: what pg_restore reads. `files`: the data folder itself, in a compressed tar file. */
export const dumpFormats = ["plain", "custom", "files"] as const;

export type DumpFormat = (typeof dumpFormats)[number];

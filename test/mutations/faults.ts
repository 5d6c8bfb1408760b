/** The tables of faults, one for each part of the tree -> all of them. */
import { control } from "./control.ts";
import type { Fault } from "./fault.ts";
import { files } from "./files.ts";
import { proxy } from "./proxy.ts";
import { tls } from "./tls.ts";
import { wire } from "./wire.ts";
import { shown } from "./words.ts";

export const faults: readonly Fault[] = [...control, ...files, ...wire, ...proxy, ...tls, ...shown];

/** `localhostess plugin validate <file>` -> whether it can be installed; nothing is kept. */
import { claimsOf } from "../../plugins/claims.ts";
import { pluginInterface } from "../../plugins/component.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { componentBytes } from "./component-bytes.ts";
import { pluginPlace } from "../shared/plugin-place.ts";
import { askedText, sizeText } from "./told.ts";

export async function pluginValidate(file: string, flags: Flags, world: World): Promise<number> {
  if (/^https?:/i.test(file)) {
    throw new UsageError(["only a file is validated; plugin install takes an address"]);
  }
  const { effects } = await pluginPlace(flags, world);
  const { bytes, sha256, source, name } = await componentBytes(file, world);
  const asked = await claimsOf({ path: source, sha256 }, effects);
  if (asked.kind === "ended") throw new Failure("failed", `${printable(source)} ${asked.why}`);
  const claims = asked.types;
  if (flags.json) {
    printJson(world, { path: source, sha256, size: bytes.length, claims });
    return 0;
  }
  const { out, err } = world;
  out.write(`${printable(file)} is a plugin: it exports ${pluginInterface}, ${sizeText(bytes)}\n`);
  out.write(`sha256 ${sha256}\n`);
  err.write(`${printable(askedText({ name, claims, granted: [] }))}\n`);
  return 0;
}

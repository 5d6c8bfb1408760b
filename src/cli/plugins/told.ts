/** A plugin -> the sentences that tell what it will be asked, and what it may do. Pure. */
import type { Plugin } from "../../plugins/installed.ts";
import { capabilities, usualCapabilities } from "../../plugins/plan.ts";
import { listed } from "../../text/list.ts";
import { shownSize } from "../../text/size.ts";

export type ToldPlugin = Pick<Plugin, "name" | "claims" | "granted">;

/** `e3b0c44298fc`: enough to tell two apart. */
export function shortHash(sha256: string): string {
  return sha256.slice(0, 12);
}

export function askedText({ name, claims }: ToldPlugin): string {
  const own = claims.map((type) => `type = "${type}"`);
  const also = own.length === 0 ? "" : `, and about those with ${listed(own)}, which it knows`;
  return `${name} is asked about services of a type that localhostess does not have${also}`;
}

export function grantedText({ name, granted }: ToldPlugin): string {
  const all = [...new Set([...usualCapabilities, ...granted])];
  const others = capabilities.filter((its) => !all.includes(its));
  const more =
    others.length === 0
      ? ""
      : `; for more: [plugins.${name}] grant = [${others.map((its) => `"${its}"`).join(", ")}] in config.toml`;
  return `its plans may use ${listed(all)}${more}`;
}

export function sizeText(bytes: Uint8Array): string {
  return shownSize(bytes.length);
}

/** The name that a person types for a place -> the name by the rule of NAME, or what is wrong with it. Pure. */
import { nameOf } from "../../discovery/name.ts";
import { readTarget } from "../../routes/target.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { shown } from "../../text/shown.ts";
import { UsageError } from "../shared/settings.ts";

export type WantedNameOptions = {
  /** The word behind it. */
  place: string | undefined;
  /** The configured domains. */
  tlds: readonly string[];
};

const anywhere = { hostName: "", wsl: false };

/** @throws UsageError */
export function wantedName(text: string, { place, tlds }: WantedNameOptions): string {
  const verdict = nameOf(text, anywhere);
  if (verdict.kind === "name") return withoutDomain(verdict.name, tlds);
  // An address as it is copied from a browser.
  const [host = ""] = text.toLowerCase().split(/[:/]/);
  const isAddress =
    text.includes("://") || ["localhost", ...tlds].some((its) => host.endsWith(`.${its}`));
  const target = isAddress ? readTarget(text, tlds) : undefined;
  if (target?.kind === "name" && target.domain !== "") {
    const inside = nameOf(target.name, anywhere);
    if (inside.kind === "name") return inside.name;
  }
  const isSwapped = place !== undefined && nameOf(place, anywhere).kind === "name";
  const wrong = verdict.kind === "none" ? "it is empty" : verdict.wrong;
  const near = verdict.kind === "none" ? undefined : verdict.near;
  const fix = isSwapped
    ? `; the name comes first: localhostess name ${pastedWord(place)} ${pastedWord(text)}`
    : near === undefined
      ? ""
      : `; try ${near}`;
  throw new UsageError([`${shown(text)} is not a usable name: ${wrong}${fix}`]);
}

/** People copy `api.test` from their address bar, as they do `api.localhost`. */
function withoutDomain(name: string, tlds: readonly string[]): string {
  const tld = tlds.find((its) => name.endsWith(`.${its}`));
  return tld === undefined ? name : name.slice(0, -tld.length - 1);
}

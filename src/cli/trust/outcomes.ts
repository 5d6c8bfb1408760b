/** The result for each trust store -> lines for a person, rows for a program, and an exit code. */
import { printable } from "../../text/printable.ts";
import type { CertificateAuthorityKind } from "../../tls/server-name.ts";
import type { Check, Outcome } from "../../tls/trust/store.ts";
import type { Screen } from "../shared/world.ts";

/** `replaced`: an authority of ours from before `trust --renew`. */
export type Whose = CertificateAuthorityKind | "replaced";

export type StoreRow = {
  store: string;
  authority: Whose;
  /** `forget`: the key is deleted; `store` says where it was. */
  action: "check" | "install" | "remove" | "forget";
  /** One word for scripts: `ok`, `already`, `needs you`, `failed`; of a check `trusted`, `absent`, `unavailable`. */
  result: "ok" | "already" | "needs you" | "failed" | Check["kind"];
  why: string | null;
  /** The remedy; null where nothing needs to be done. */
  fix: string | null;
};

export function rowOf(
  about: Pick<StoreRow, "store" | "authority" | "action">,
  outcome: Outcome | Check,
): StoreRow {
  const why = "why" in outcome ? outcome.why : "note" in outcome ? outcome.note : undefined;
  const fix = "fix" in outcome ? outcome.fix : outcome.kind === "absent" ? fixOf(about) : null;
  return {
    ...about,
    result: outcome.kind === "done" ? "ok" : outcome.kind,
    why: why ?? null,
    fix,
  };
}

/** `trust` does not install a replaced authority, so its absence needs no remedy. */
function fixOf({ authority }: Pick<StoreRow, "authority">): string | null {
  if (authority === "replaced") return null;
  return authority === "bare" ? "localhostess trust --bare-names" : "localhostess trust";
}

/** Characters: two paths and a sentence. */
const longest = 10_000;

const what: Record<Whose, string> = {
  names: "",
  bare: "bare names",
  replaced: "replaced",
};

const done: Record<StoreRow["action"], string> = {
  check: "",
  install: "",
  remove: "removed",
  forget: "deleted",
};

export function tellRow(row: StoreRow, { write, colors }: Screen): void {
  const { result, store, why, fix } = row;
  const color =
    result === "failed" || result === "unavailable"
      ? colors.red
      : result === "ok" || result === "already" || result === "trusted"
        ? colors.green
        : colors.yellow;
  const about = [what[row.authority], done[row.action]].filter(Boolean);
  const suffix = about.length === 0 ? "" : ` (${about.join(", ")})`;
  const detail = [`${store}${suffix}`, ...(why === null ? [] : [why])].join(": ");
  // The name of a browser's folder, or the output of its tools, may hold any character.
  write(`${color(result.padEnd(11))}  ${printable(detail, longest)}\n`);
  if (fix !== null) write(`${" ".repeat(13)}${colors.yellow(`-> ${printable(fix, longest)}`)}\n`);
}

/** Whether every store is as requested. */
export function allWell(rows: readonly StoreRow[]): boolean {
  return rows.every(({ result, authority }) => {
    // A replaced authority should be absent.
    if (result === "absent") return authority === "replaced";
    if (result === "trusted") return authority !== "replaced";
    return result === "ok" || result === "already";
  });
}

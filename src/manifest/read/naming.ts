/** Layers, the checkout and what a person asks for -> a project's name and its domain. Pure. */
import { type Leaf, type Source, tableIn } from "../layer.ts";
import { merged } from "../merge.ts";
import {
  type Domain,
  givenNameMistake,
  labelOf,
  projectNameFrom,
  projectNameMistake,
  readDomain,
} from "../project-name.ts";
import type { ManifestOptions, Naming } from "./options.ts";

export type Named = {
  name: string;
  /** The name without a worktree's label, and as all checkouts have it. */
  own: string;
  /** True where it is not the committed name, so that the domain follows it. */
  isOther: boolean;
};

/** The layers, the last one of which may be for this folder alone. */
type Layers = Pick<ManifestOptions, "layers" | "local">;

/** `written`: the name in the files, of whichever layer. */
export function nameOf(
  written: { value: string; source: Source } | undefined,
  { directory, naming = {}, ...files }: Layers & Pick<ManifestOptions, "directory" | "naming">,
): Named {
  const folder = naming.folder ?? directory.slice(directory.lastIndexOf("/") + 1);
  const own = committedName(files) ?? projectNameFrom(folder);
  const isLocal = written !== undefined && written.source === files.local;
  const other = naming.given ?? (isLocal ? written.value : naming.instead);
  const name = other ?? (naming.label === undefined ? own : `${naming.label}.${own}`);
  return { name, own, isOther: name !== own };
}

/** The name that all who have the repository see. */
function committedName({ layers, local }: Layers): string | undefined {
  const shared = layers.filter(({ tree }) => tree.source !== local);
  const node = tableIn(merged(shared), "project").entries.get("name");
  return node?.kind === "leaf" ? (node.value as string) : undefined;
}

/** A sentence; undefined where the name is valid. */
export function wrongName({ name, own, isOther }: Named): string | undefined {
  return projectNameMistake(own) ?? (isOther ? givenNameMistake(name) : undefined);
}

export type DomainOptions = {
  named: Named;
  /** The domain in the files. */
  written: (Pick<Leaf, "source"> & { value: string }) | undefined;
  naming: Naming;
  local: Source | undefined;
  tlds: readonly string[];
};

/**
 * A committed domain goes with the committed name: `shop.test` is `fix-nav.shop.test` in a worktree, and `mine.test`
 * for a project that is named `mine` here.
 */
export function domainOf({ named, written, naming, local, tlds }: DomainOptions): Domain {
  const { name, isOther } = named;
  const labels = name.split(".").map((part) => labelOf(part) ?? part);
  const fromName = isOther ? `${labels.join(".")}.localhost` : labels.join(".");
  if (written === undefined) return readDomain(fromName, tlds);
  const read = readDomain(written.value, tlds);
  if (!isOther || read.kind === "mistake" || written.source === local) return read;
  const isLabelled = naming.label !== undefined && name === `${naming.label}.${named.own}`;
  const ending = read.domain.slice(read.routeName.length + 1);
  return readDomain(
    isLabelled ? `${naming.label}.${read.domain}` : `${labels.join(".")}.${ending}`,
    tlds,
  );
}

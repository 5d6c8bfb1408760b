/** Patterns, and a name in a folder -> whether its file is watched, and what is wanted below it. Pure. */
import type { Segment, WatchPattern } from "../manifest/watch-pattern.ts";

/** Wildcards do not match these: others write them, in numbers, and nobody means them. */
const passedOver: ReadonlySet<string> = new Set([
  "node_modules",
  ".git",
  "__pycache__",
  ".venv",
  "target",
]);

/** Swap files, backups and locks of editors, as watchexec ignores them: opening a file is no change to it. */
const editors = /^(?:\..*\.sw[a-z]|4913|.*~|\.#.*|#.*#|\.DS_Store|.*___jb_(?:tmp|old)___)$/;

type Compiled = Exclude<Segment, { kind: "glob" }> | { kind: "glob"; text: string; glob: Bun.Glob };

type Path = {
  readonly segments: readonly Compiled[];
  readonly open: boolean;
  readonly negated: boolean;
  readonly order: number;
};

/** How far a path of a pattern has come on the way down to a folder. */
type Position = { readonly path: Path; readonly at: number };

/** The part of the patterns that is wanted in a folder. */
export type Wanted = {
  readonly positions: readonly Position[];
  /** The only names that can be meant; undefined: any can. */
  readonly names: readonly string[] | undefined;
};

export type Step = {
  /** A file of that name is watched. */
  file: boolean;
  /** Undefined: nothing in a folder of that name is. */
  below: Wanted | undefined;
};

export function isPassedOver(name: string): boolean {
  return passedOver.has(name) || editors.test(name);
}

/** The lowest folder above `folder` and all that the patterns can match, and what is wanted in it. */
export function wantedFrom(
  patterns: readonly WatchPattern[],
  folder: string,
): { base: string; wanted: Wanted } {
  const paths = patterns.flatMap(({ negated, paths: its }, order) =>
    its.map(({ segments, open }) => ({ segments: segments.map(compiled), open, negated, order })),
  );
  let common = namesOf(folder);
  for (const { negated, segments } of paths) {
    if (negated) continue;
    const wild = segments.findIndex(({ kind }) => kind !== "name");
    const names = segments.slice(0, wild).map((its) => (its as { name: string }).name);
    common = common.slice(0, sharedLength(common, names));
  }
  let wanted: Wanted = wantedOf(paths.map((path) => ({ path, at: 0 })));
  for (const name of common) wanted = stepInto(wanted, name).below ?? wantedOf([]);
  return { base: `/${common.join("/")}`, wanted };
}

export function stepInto({ positions }: Wanted, name: string): Step {
  const passed = isPassedOver(name);
  const next: Position[] = [];
  let last = -1;
  let file = false;
  for (const { path, at } of positions) {
    const { segments, open, negated, order } = path;
    const segment = segments[at]!;
    const rest = segments.length - at - 1;
    if (segment.kind === "any") {
      if (passed) continue;
      next.push({ path, at });
      if (rest > 0) continue;
    } else {
      const matches =
        segment.kind === "name"
          ? segment.name === name
          : // Folders named like a glob exist: `[id]` in routes.
            segment.text === name || (!passed && segment.glob.match(name));
      if (!matches) continue;
      if (rest > 0) next.push({ path, at: at + 1 });
      if (rest > 1 || (rest === 1 && !open)) continue;
    }
    if (order < last) continue;
    last = order;
    file = !negated;
  }
  const below = wantedOf(next);
  return { file, below: below.positions.length === 0 ? undefined : below };
}

/** Empty where nothing but what is excluded is left. */
function wantedOf(positions: readonly Position[]): Wanted {
  const found: Position[] = [];
  const add = (position: Position): void => {
    const known = found.some(({ path, at }) => path === position.path && at === position.at);
    if (!known) found.push(position);
  };
  for (const { path, at } of positions) {
    add({ path, at });
    // `**` also stands for no folder at all.
    const isLast = at === path.segments.length - 1;
    if (path.segments[at]?.kind === "any" && !isLast) add({ path, at: at + 1 });
  }
  const covered = Math.max(
    -1,
    ...found.flatMap(({ path, at }) => {
      const covers = at === path.segments.length - 1 && path.segments[at]!.kind === "any";
      return path.negated && covers ? [path.order] : [];
    }),
  );
  const live = found.filter(({ path }) => !path.negated && path.order > covered);
  if (live.length === 0) return { positions: [], names: [] };
  const names = new Set<string>();
  for (const { path, at } of live) {
    const segment = path.segments[at]!;
    if (segment.kind !== "name") return { positions: found, names: undefined };
    names.add(segment.name);
  }
  return { positions: found, names: [...names] };
}

function compiled(segment: Segment): Compiled {
  if (segment.kind !== "glob") return segment;
  // A first `!` is a negation to Bun's globs.
  return { ...segment, glob: new Bun.Glob(segment.text.replace(/^!/, "\\!")) };
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

function sharedLength(one: readonly string[], other: readonly string[]): number {
  const differs = one.findIndex((name, at) => name !== other[at]);
  return differs === -1 ? one.length : differs;
}

/** The buildpacks that a file names, and those of a builder -> the order that its lifecycle is given. Pure. */
import { didYouMean } from "../../text/nearest.ts";
import type { DescribedBuildpack } from "../../manifest/project-descriptor.ts";
import type { BuilderImage, KnownBuildpack, OrderEntry } from "./builder-image.ts";

export type BuilderOrder =
  /** `toml`: undefined where the builder's own order is the one. */
  { kind: "order"; toml: string | undefined } | { kind: "bad"; why: string };

export type OrderOptions = {
  /** `heroku/nodejs`, `heroku/nodejs@3.2.1`; empty: the builder's own order. */
  wanted: readonly string[];
  /** In front of every group, and behind it. */
  pre: readonly string[];
  post: readonly string[];
  /** The buildpacks inside the builder. */
  own: Pick<BuilderImage, "buildpacks" | "order">;
  /** Those that are put into it, as they are written in `wanted`. */
  added: readonly (KnownBuildpack & { written: string })[];
  /** `heroku/builder:24`. */
  builder: string;
};

/** Ways to name a buildpack that is in the builder. */
const schemes = /^(?:urn:cnb:builder:|from=builder:)/;

/** A group of project.toml, as a file would name its buildpacks. */
export function describedOrder(group: readonly DescribedBuildpack[]): string[] {
  return group.map(({ id = "", version, uri, script }) => {
    if (script !== undefined) return `file:${id} of project.toml`;
    return uri ?? (version === undefined ? id : `${id}@${version}`);
  });
}

/** A version that is not written is the last that the builder lists. */
export function builderOrder(options: OrderOptions): BuilderOrder {
  const { wanted, pre, post, own, builder } = options;
  if (wanted.length + pre.length + post.length === 0) return { kind: "order", toml: undefined };
  const required = (list: readonly string[]): OrderEntry[] =>
    list.map((written) => ({ written, optional: false }));
  const groups = wanted.length > 0 ? [required(wanted)] : own.order;
  if (groups.length === 0) {
    const why = `${builder} does not say its own order, which pre and post of project.toml are for`;
    return { kind: "bad", why: `${why}; name all buildpacks in build = { buildpacks = [...] }` };
  }
  const lines: string[] = [];
  for (const group of groups) {
    lines.push("[[order]]");
    for (const { written, optional } of [...required(pre), ...group, ...required(post)]) {
      const found = foundBy(written, options);
      if (typeof found === "string") return { kind: "bad", why: found };
      lines.push("[[order.group]]", `id = ${JSON.stringify(found.id)}`);
      lines.push(`version = ${JSON.stringify(found.version)}`);
      if (optional) lines.push("optional = true");
    }
  }
  return { kind: "order", toml: `${lines.join("\n")}\n` };
}

/** Or why there is none, in a sentence. */
function foundBy(
  written: string,
  { own, added, builder }: Pick<OrderOptions, "own" | "added" | "builder">,
): KnownBuildpack | string {
  if (/^(?:~|https?:|docker:|file:)/.test(written)) {
    const instead =
      "name one by its id or its folder, or leave out builder to run it on this machine";
    return `${written} is not in ${builder}, which has its buildpacks inside; ${instead}`;
  }
  const found = added.find((one) => one.written === written) ?? knownBy(written, own.buildpacks);
  return found ?? `${builder} has ${missing(written, own.buildpacks)}`;
}

type Named = { id: string; version: string | undefined };

function namedBy(written: string): Named {
  const [id = "", version] = written.replace(schemes, "").split("@");
  return { id, version };
}

function knownBy(written: string, known: readonly KnownBuildpack[]): KnownBuildpack | undefined {
  const { id, version } = namedBy(written);
  return known.findLast(
    (its) => its.id === id && (version === undefined || its.version === version),
  );
}

/** The rest of a sentence: `no buildpack heroku/nod`, `heroku/nodejs 1, and not 2`. */
function missing(written: string, known: readonly KnownBuildpack[]): string {
  const { id, version } = namedBy(written);
  const versions = known.filter((its) => its.id === id).map((its) => its.version);
  if (versions.length > 0) return `${id} ${versions.join(", ")}, and not ${version}`;
  return `no buildpack ${id}${didYouMean(id, new Set(known.map((its) => its.id)))}`;
}

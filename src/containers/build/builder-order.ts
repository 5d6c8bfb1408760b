/** The buildpacks that a file names, and those of a builder -> the order that its lifecycle is given. Pure. */
import { didYouMean } from "../../text/nearest.ts";
import type { DescribedBuildpack } from "../../manifest/project-descriptor.ts";
import type { KnownBuildpack } from "./builder-image.ts";

export type BuilderOrder =
  /** `toml`: undefined where the builder's own order is the one. */
  { kind: "order"; toml: string | undefined } | { kind: "bad"; why: string };

export type OrderOptions = {
  /** `heroku/nodejs`, `heroku/nodejs@3.2.1`; empty: the builder's own order. */
  wanted: readonly string[];
  known: readonly KnownBuildpack[];
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

/** One group, in the order that is written. A version that is not written is the last that the builder lists. */
export function builderOrder({ wanted, known, builder }: OrderOptions): BuilderOrder {
  if (wanted.length === 0) return { kind: "order", toml: undefined };
  const lines = ["[[order]]"];
  for (const written of wanted) {
    if (/^(?:\.{0,2}\/|~|https?:|docker:|file:)/.test(written)) {
      const instead = "name one by its id, or leave out builder to run it on this machine";
      return {
        kind: "bad",
        why: `${written} is not in ${builder}, which has its buildpacks inside; ${instead}`,
      };
    }
    const [id = "", version] = written.replace(schemes, "").split("@");
    const its = known.filter((one) => one.id === id);
    const found = version === undefined ? its.at(-1) : its.find((one) => one.version === version);
    if (found === undefined) {
      const other = its.at(-1);
      const why =
        other === undefined
          ? `${builder} has no buildpack ${id}${didYouMean(id, [...new Set(known.map((one) => one.id))])}`
          : `${builder} has ${id} ${its.map((one) => one.version).join(", ")}, and not ${version}`;
      return { kind: "bad", why };
    }
    lines.push(
      "[[order.group]]",
      `id = ${JSON.stringify(id)}`,
      `version = ${JSON.stringify(found.version)}`,
    );
  }
  return { kind: "order", toml: `${lines.join("\n")}\n` };
}

/** A folder with a compose file -> the containers that it declares, as text of a locald.toml; or the errors in it. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Composed } from "../../manifest/compose/convert.ts";
import { readDotenv } from "../../manifest/dotenv.ts";
import { expandDotenv } from "../../manifest/dotenv-expand.ts";
import { readTextSync } from "../../system/read-text.ts";
import type { World } from "../shared/world.ts";

/** Bytes, as for every `.env`. */
const longestDotenv = 1024 * 1024;

/** The first that is there is the project's, in the order of docker compose. */
const names = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/** The first that is there is merged over it. */
const overrides = [
  ...["compose.override.yml", "compose.override.yaml"],
  ...["docker-compose.override.yml", "docker-compose.override.yaml"],
];

export type ComposedHere = {
  /** `compose.yaml`, and the file that is merged over it. */
  files: readonly string[];
  composed: Composed;
};

/** `taken`: names of services that other files declare. Undefined: there is no compose file. */
export async function composedIn(
  directory: string,
  { taken, world }: { taken: readonly string[]; world: Pick<World, "env"> },
): Promise<ComposedHere | undefined> {
  const isThere = (name: string): boolean => existsSync(join(directory, name));
  const main = names.find(isThere);
  if (main === undefined) return undefined;
  const files = [main, ...overrides.filter(isThere).slice(0, 1)];
  // The library for YAML is needed by folders with such a file alone.
  const { composed, longestFile } = await import("../../manifest/compose/convert.ts");
  const dotenv = dotenvIn(directory);
  return {
    files,
    composed: composed({
      paths: files,
      read(path) {
        const its = readTextSync(resolve(directory, path), { longest: longestFile });
        if (its.kind === "text") return its;
        return { kind: "unreadable", why: its.kind === "missing" ? "no such file" : its.why };
      },
      variables: (name, otherwise) => dotenv.get(name) ?? (otherwise ? undefined : world.env[name]),
      dotenv: new Set(dotenv.keys()),
      exists: (path) => existsSync(resolve(directory, path)),
      taken,
    }),
  };
}

/** Variables of `.env`, each with its value; undefined where that refers to others. */
function dotenvIn(directory: string): Map<string, string | undefined> {
  const its = readTextSync(join(directory, ".env"), { longest: longestDotenv });
  if (its.kind !== "text") return new Map();
  const { variables } = expandDotenv(readDotenv(its.text), () => undefined);
  return new Map(
    variables.map(({ name, value }) => [name, value.includes("${") ? undefined : value]),
  );
}

/** References of a service, and its project.toml -> the buildpacks that they mean, and the order of them. */
import { join } from "node:path";
import type { DescribedBuildpack, ProjectDescriptor } from "../../manifest/project-descriptor.ts";
import { readToml } from "../../manifest/toml.ts";
import { TomlValues } from "../../manifest/toml-values.ts";
import { readText } from "../../system/read-text.ts";
import { listed } from "../../text/list.ts";
import { shown } from "../../text/shown.ts";
import type { BuildEffects, Buildpack, GroupEntry, Order } from "./buildpack.ts";
import { fetched } from "./fetched.ts";
import { writtenInline } from "./inline.ts";
import { buildpacksBelow } from "./nearby.ts";
import { knownApis, readBuildpack } from "./read-buildpack.ts";
import { type ArchiveReference, type GitReference, readReference } from "./reference.ts";
import { unpacked } from "./unpacked.ts";

export type FindRequest = {
  /** Absolute: the app's folder, with its project.toml. */
  app: string;
  /** Absolute: the project's folder, to which references of the service are relative. */
  directory: string;
  /** Absolute: what is kept for all projects. */
  cache: string;
  /** Those of the service; where there are some, the group of project.toml does not count. */
  references: readonly string[];
  descriptor: ProjectDescriptor;
  /** The shell's. */
  env: Readonly<Record<string, string>>;
  /** Repositories are asked again at which commit a tag or a branch is. */
  fresh: boolean;
};

export type FoundBuildpacks =
  | { kind: "found"; order: Order; known: readonly Buildpack[] }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

type Effects = Pick<BuildEffects, "write" | "signal">;

/** Why there is no order, in a sentence. */
class NotFound extends Error {}

/** Folders below a repository's root: `meta-buildpacks/node`, `buildpacks/node-engine`. */
const repositoryDepth = 3;

/** Folders below a composite: `buildpacks/node-engine`. */
const ownDepth = 2;

/** Buildpacks that composites bring, one by another: more is a cycle of dependencies. */
const mostKnown = 500;

/** Never rejects. */
export async function findBuildpacks(
  request: FindRequest,
  effects: Effects,
): Promise<FoundBuildpacks> {
  const finding = new Finding(request, effects);
  const { references, descriptor, directory } = request;
  try {
    const named: GroupEntry[] = [];
    const from = "name a folder or an address in buildpacks, or a group in project.toml";
    if (references.length === 0 && descriptor.group.length === 0) {
      throw new NotFound(`no buildpack is named that could build it; ${from}`);
    }
    for (const text of references) named.push(await finding.referred(text, directory));
    const groupOf = async (its: readonly DescribedBuildpack[]): Promise<GroupEntry[]> => {
      const entries: GroupEntry[] = [];
      for (const each of its) entries.push(await finding.described(each));
      return entries;
    };
    if (references.length === 0) named.push(...(await groupOf(descriptor.group)));
    const group = [
      ...(await groupOf(descriptor.pre)),
      ...named,
      ...(await groupOf(descriptor.post)),
    ];
    await finding.complete();
    return { kind: "found", order: [group], known: finding.known };
  } catch (error) {
    if (error instanceof NotFound) return { kind: "failed", why: error.message };
    return { kind: "failed", why: `buildpacks cannot be prepared: ${(error as Error).message}` };
  }
}

/** `around`: the folder in which a composite's parts are looked for, and how deep. */
type Composite = { buildpack: Buildpack; around: readonly { folder: string; depth: number }[] };

class Finding {
  readonly known: Buildpack[] = [];
  readonly #request: FindRequest;
  readonly #effects: Effects;
  readonly #composites: Composite[] = [];

  constructor(request: FindRequest, effects: Effects) {
    this.#request = request;
    this.#effects = effects;
  }

  /** @throws NotFound */
  async referred(text: string, from: string): Promise<GroupEntry> {
    const reference = readReference(text, from);
    if (reference.kind === "refused") throw new NotFound(reference.why);
    if (reference.kind === "id") return entryOf(reference.id, reference.version);
    if (reference.kind === "archive") return this.#unpacked(reference);
    if (reference.kind === "folder") {
      const { directory } = reference;
      const around = [
        { folder: directory, depth: ownDepth },
        { folder: join(directory, ".."), depth: 1 },
      ];
      return this.#read(directory, around);
    }
    return this.#fetched(reference);
  }

  /** @throws NotFound */
  async described({ id, version, uri, script, line }: DescribedBuildpack): Promise<GroupEntry> {
    const { app, cache } = this.#request;
    const place = `project.toml:${line}`;
    if (script !== undefined) {
      if (!knownApis.includes(script.api)) {
        const spoken = listed(knownApis, { conjunction: "or" });
        throw new NotFound(
          `${place}: Buildpack API ${shown(script.api)} is not known; write ${spoken}`,
        );
      }
      const name = id ?? `inline/line-${line}`;
      const directory = await writtenInline(
        { id: name, script },
        join(cache, "buildpacks", "inline"),
      );
      return await this.#read(directory, []);
    }
    if (uri === undefined) return entryOf(id!, version);
    return await this.referred(uri, app);
  }

  /** Buildpacks that composites need and nobody has named are looked for where those are. @throws NotFound */
  async complete(): Promise<void> {
    for (let next = this.#composites.shift(); next !== undefined; next = this.#composites.shift()) {
      if (this.known.length > mostKnown)
        throw new NotFound("the buildpacks bring more than 500 others");
      if (this.#missingOf(next.buildpack)) await this.#packaged(next);
      for (const { folder, depth } of next.around) {
        if (!this.#missingOf(next.buildpack)) break;
        for (const its of await buildpacksBelow(folder, depth)) {
          this.#add(its, [{ folder: its.directory, depth: ownDepth }, ...next.around]);
        }
      }
    }
  }

  #missingOf({ order }: Buildpack): boolean {
    const entries = (order ?? []).flat();
    return entries.some(
      ({ id, version }) => !this.known.some((its) => its.id === id && its.version === version),
    );
  }

  /** `dependencies` of a package.toml, which pack reads: folders and repositories; images are left out. */
  async #packaged({ buildpack: { directory } }: Composite): Promise<void> {
    const its = await readText(join(directory, "package.toml"), { longest: 1024 * 1024 });
    if (its.kind !== "text") return;
    const toml = readToml(its.text);
    if (toml.kind === "bad") return;
    const values = new TomlValues(toml.document);
    for (const path of values.tables(["dependencies"])) {
      const uri = values.text([...path, "uri"]);
      const reference = uri === undefined ? undefined : readReference(uri, directory);
      const isOurs =
        reference !== undefined && ["folder", "git", "archive"].includes(reference.kind);
      if (isOurs) await this.referred(uri!, directory);
    }
  }

  async #fetched(reference: GitReference): Promise<GroupEntry> {
    const { cache, env, fresh } = this.#request;
    const folder = join(cache, "buildpacks", "git");
    const outcome = await fetched(reference, { folder, env, fresh }, this.#effects);
    if (outcome.kind === "failed") throw new NotFound(outcome.why);
    const root = outcome.directory;
    const around = [{ folder: root, depth: repositoryDepth }];
    const directory = join(root, reference.folder);
    const read = await readBuildpack(directory);
    if (read.kind === "buildpack") return this.#add(read.buildpack, around);
    if (await hasFile(join(directory, "buildpack.toml"))) throw new NotFound(read.why);
    throw new NotFound(await whyNoBuildpack(reference, root));
  }

  async #unpacked(reference: ArchiveReference): Promise<GroupEntry> {
    const { cache, fresh } = this.#request;
    const folder = join(cache, "buildpacks", "archives");
    const outcome = await unpacked(reference, { folder, fresh }, this.#effects);
    if (outcome.kind === "failed") throw new NotFound(outcome.why);
    const { directory } = outcome;
    return this.#read(directory, [{ folder: directory, depth: repositoryDepth }]);
  }

  async #read(directory: string, around: Composite["around"]): Promise<GroupEntry> {
    const read = await readBuildpack(directory);
    if (read.kind === "failed") throw new NotFound(read.why);
    return this.#add(read.buildpack, around);
  }

  #add(buildpack: Buildpack, around: Composite["around"]): GroupEntry {
    const { id, version } = buildpack;
    const isKnown = this.known.some((its) => its.id === id && its.version === version);
    if (!isKnown) {
      this.known.push(buildpack);
      if (buildpack.order !== undefined) this.#composites.push({ buildpack, around });
    }
    return entryOf(id, version);
  }
}

function entryOf(id: string, version: string | undefined): GroupEntry {
  return { id, version, optional: false, execEnvs: [] };
}

async function hasFile(path: string): Promise<boolean> {
  return (await readText(path, { longest: 0 })).kind !== "missing";
}

async function whyNoBuildpack({ url, ref, folder }: GitReference, root: string): Promise<string> {
  const name = `${url}${ref === undefined ? "" : `#${ref}`}`;
  const where = folder === "" ? name : `the folder ${folder} of ${name}`;
  const found = await buildpacksBelow(root, repositoryDepth);
  const paths = found.map(({ directory }) => directory.slice(root.length + 1) || ".");
  if (paths.length === 0) return `${where} has no buildpack.toml, and no folder of it has one`;
  const folders = listed(paths, { most: 5 });
  return `${where} has no buildpack.toml; name a folder that has one (${folders}): ${url}#${ref ?? "HEAD"}:${paths[0]}`;
}

/** The compose files of a folder, with what they include and extend -> one mapping; or the errors in them. Pure. */
import { composeParts, filledNow, type Variables } from "./interpolate.ts";
import { mergedOver } from "./merge.ts";
import {
  type At,
  type ComposeFile,
  type Entry,
  type Mapping,
  type Node,
  placeText,
  readYaml,
} from "./yaml.ts";

export type Read = { kind: "text"; text: string } | { kind: "unreadable"; why: string };

export type LoadOptions = {
  /** `path` is relative to the project's folder. */
  read(path: string): Read;
  variables: Variables;
};

export type Loaded = { kind: "done"; root: Mapping } | { kind: "mistakes"; mistakes: string[] };

/** Files that include each other, far more than a project has. */
const mostFiles = 50;

/** The later of the files are merged over the earlier ones. */
export function loadCompose(paths: readonly string[], options: LoadOptions): Loaded {
  const loader = new Loader(options);
  const root = loader.files(paths, { folder: ".", by: undefined });
  if (loader.mistakes.length > 0) return { kind: "mistakes", mistakes: loader.mistakes };
  return { kind: "done", root: root! };
}

/** A path of a file in a folder, as it is from the project's: `../common/x.yml`, `deploy/x.yml`. */
export function joinedPath(folder: string, path: string): string {
  if (path.startsWith("/") || path.startsWith("~")) return path;
  const parts: string[] = [];
  for (const part of `${folder}/${path}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.length === 0 ? "." : parts.join("/");
}

function folderOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end === -1 ? "." : path.slice(0, Math.max(end, 1));
}

export function entryOf(node: Node | undefined, key: string): Entry | undefined {
  return node?.kind === "mapping" ? node.entries.get(key) : undefined;
}

export function scalarText(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? node.text : undefined;
}

type Asking = { folder: string | undefined; by: At | undefined };

class Loader {
  readonly mistakes: string[] = [];
  readonly #options: LoadOptions;
  /** Files as they are read, with all that they include. */
  readonly #files = new Map<string, Mapping | undefined>();
  #count = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  files(paths: readonly string[], asking: Asking): Mapping | undefined {
    let root: Node | undefined;
    for (const path of paths) {
      const its = this.#file(path, asking);
      if (its !== undefined) root = root === undefined ? its : mergedOver(root, its);
    }
    if (root?.kind !== "mapping") return undefined;
    return this.#extended(root);
  }

  /** `folder`: the one that its paths are relative to; undefined: its own. */
  #file(path: string, { folder, by }: Asking): Mapping | undefined {
    const key = `${folder ?? ""}:${path}`;
    if (this.#files.has(key)) {
      const known = this.#files.get(key);
      if (known === undefined) this.#wrong(by, `${path} includes itself`);
      return known;
    }
    this.#files.set(key, undefined);
    this.#count += 1;
    if (this.#count > mostFiles) return this.#wrong(by, `more than ${mostFiles} files`);
    const read = this.#options.read(path);
    if (read.kind === "unreadable") return this.#wrong(by, `${path}: ${read.why}`);
    const file: ComposeFile = { name: path, folder: folder ?? folderOf(path) };
    const yaml = readYaml(read.text, file);
    if (yaml.kind === "mistakes") {
      this.mistakes.push(...yaml.mistakes);
      return undefined;
    }
    let root: Node | undefined;
    for (const its of yaml.documents) {
      if (its.kind === "scalar" && its.value === null) continue;
      if (its.kind !== "mapping") {
        return this.#wrong(its, "a compose file is a mapping, with services: in it");
      }
      root = root === undefined ? its : mergedOver(root, its);
    }
    if (root?.kind !== "mapping") return this.#wrong({ file, line: 1 }, "the file is empty");
    const whole = this.#including(root);
    this.#files.set(key, whole);
    return whole;
  }

  /** Included files are below the one that includes them; a service in two of them is an error, as compose has it. */
  #including(root: Mapping): Mapping {
    const include = root.entries.get("include")?.node;
    if (include === undefined) return root;
    const rest = new Map(root.entries);
    rest.delete("include");
    let whole: Mapping = { ...root, entries: rest };
    for (const item of include.kind === "list" ? include.items : [include]) {
      const written = item.kind === "mapping" ? item.entries.get("path")?.node : item;
      const list = written?.kind === "list" ? written.items : [written];
      const paths = list.flatMap((its) => this.#path(its) ?? []);
      if (paths.length === 0) {
        this.#wrong(item, "include takes paths of files");
        continue;
      }
      const asked = entryOf(item, "project_directory")?.node;
      const folder = asked === undefined ? folderOf(paths[0]!) : (this.#path(asked) ?? ".");
      const its = this.files(paths, { folder, by: item });
      if (its === undefined) continue;
      const services = entryOf(whole, "services")?.node;
      for (const [name, { at }] of mappingOf(entryOf(its, "services")?.node)) {
        const twice = entryOf(services, name);
        if (twice !== undefined && twice.at !== at) {
          this.#wrong(twice.at, `the service ${name} is in ${placeText(at)} as well`);
        }
      }
      const merged = mergedOver(its, whole);
      if (merged.kind === "mapping") whole = merged;
    }
    return whole;
  }

  /** Every service that extends another, with all of that. */
  #extended(root: Mapping): Mapping {
    const services = root.entries.get("services");
    if (services?.node.kind !== "mapping") return root;
    const all = services.node.entries;
    const done = new Map<string, Entry>();
    for (const [name, entry] of all) {
      done.set(name, { at: entry.at, node: this.#extending(entry.node, { all, open: [name] }) });
    }
    const node: Mapping = { ...services.node, entries: done };
    return { ...root, entries: new Map(root.entries).set("services", { at: services.at, node }) };
  }

  #extending(
    service: Node,
    { all, open }: { all: ReadonlyMap<string, Entry>; open: readonly string[] },
  ): Node {
    if (service.kind !== "mapping") return service;
    const extend = service.entries.get("extends");
    if (extend === undefined) return service;
    const entries = new Map(service.entries);
    entries.delete("extends");
    const own: Mapping = { ...service, entries };
    const written = extend.node;
    const name = scalarText(written) ?? scalarText(entryOf(written, "service")?.node);
    const path = this.#path(entryOf(written, "file")?.node);
    if (name === undefined) {
      this.#wrong(extend.at, "extends takes the name of a service");
      return own;
    }
    const file =
      path === undefined ? undefined : this.#file(path, { folder: undefined, by: extend.at });
    if (path !== undefined && file === undefined) return own;
    const there = file === undefined ? all : mappingOf(entryOf(file, "services")?.node);
    const base = there.get(name);
    const id = path === undefined ? name : `${path}:${name}`;
    if (base === undefined) {
      this.#wrong(
        extend.at,
        `there is no service ${name}${path === undefined ? "" : ` in ${path}`}`,
      );
      return own;
    }
    if (open.includes(id) || open.length > mostFiles) {
      this.#wrong(extend.at, `${[...open, id].join(" extends ")}, in a cycle`);
      return own;
    }
    const below = this.#extending(base.node, { all: there, open: [...open, id] });
    return mergedOver(below, own);
  }

  /** From the project's folder; undefined: no text. */
  #path(node: Node | undefined): string | undefined {
    const text = scalarText(node);
    if (text === undefined) return undefined;
    return joinedPath(node!.file.folder, filledNow(composeParts(text), this.#options.variables));
  }

  #wrong(at: At | undefined, what: string): undefined {
    this.mistakes.push(at === undefined ? what : `${placeText(at)}: ${what}`);
    return undefined;
  }
}

function mappingOf(node: Node | undefined): ReadonlyMap<string, Entry> {
  return node?.kind === "mapping" ? node.entries : new Map();
}

/** A folder and those above it, with what stands in them -> the project that a process in it belongs to. Pure. */
import { labelFrom, projectNameFrom } from "../manifest/project-name.ts";
import { isNumeric } from "../text/numeric-label.ts";
import { printablePath } from "../text/printable.ts";
import type { Manifest } from "./manifest-names.ts";

/** One folder, as it was last looked at. */
export type FolderFacts = {
  path: string;
  /** By file name, in the order in which they are asked. */
  manifests: readonly (readonly [file: string, its: Manifest])[];
  /** A file says that packages are below it. */
  workspace: boolean;
  /** A `.git` is in it. `label`: only a linked worktree has one; `name`: the repository's folder's. */
  checkout: { name: string; label: string | undefined; repository: string } | undefined;
};

export type Project = {
  folder: string;
  /** A label. */
  name: string;
  /** A clause for a person: `package.json of /srv/shop`. */
  because: string;
  /** The workspace or the repository that it is a package of. */
  root: { folder: string; name: string; isCertain: boolean } | undefined;
  /** The linked worktree that it is in. */
  label: string | undefined;
  /** As a `Checkout` has it. */
  repository: string | undefined;
  scripts: Readonly<Record<string, string>>;
  /** One of them starts a tool that shows pages. */
  hasPages: boolean;
  /** There are manifests of others than JavaScript. */
  isMixed: boolean;
  /** A framework of another language shows the pages, for which a bundler serves scripts and styles. */
  hasFramework: boolean;
  /** False where its file could not be understood: its name is then its folder's, for now. */
  isCertain: boolean;
};

/** Tools that show a web page, where a script names them. */
const webScript =
  /(?:^|[\s"'/&;|])(?:vite|next|nuxt|nuxi|astro|remix|react-router|svelte-kit|gatsby|ng|ember|vue-cli-service|webpack(?:-dev-server)?|parcel|react-scripts|rsbuild|rspack|expo|vinxi|qwik|eleventy)(?=$|[\s"'&;|])/;

/** A name of three labels and a worktree's has to fit into an address. */
const longestLabel = 50;

/** npm's limit. Of a longer one, the beginning will do. */
const longestName = 214;

/** Every project of Rails, Laravel, Phoenix and Django has one. */
const frameworkFiles = new Set(["Gemfile", "config.ru", "composer.json", "mix.exs", "manage.py"]);

/** A bundler's package in a framework's folder: `rails new` calls it so. */
const assets = /^(?:app|assets)$/;

/** `chain`: the process's folder and those above it, the nearest first, as far as they may be projects. */
export function projectIn(chain: readonly FolderFacts[]): Project | undefined {
  const at = chain.findIndex((its) => isProject(its));
  const nearest = chain[at];
  if (nearest === undefined) return undefined;
  const top = chain.slice(at).find(({ checkout }) => checkout !== undefined);
  const above = chain.slice(at + 1, top === undefined ? undefined : chain.indexOf(top) + 1);
  const root = above.find(isWorkspace) ?? (top === nearest ? undefined : top);
  const { name, because, isCertain } = nameOf(nearest);
  const scripts = nearest.manifests.find(([file]) => file === "package.json")?.[1].scripts ?? {};
  return {
    folder: nearest.path,
    name: shortened(name, root),
    because: `${because}${root === undefined ? "" : `, in ${printablePath(root.path)}`}`,
    root: root === undefined ? undefined : { folder: root.path, ...rootName(root) },
    label: top?.checkout?.label,
    repository: top?.checkout?.repository,
    scripts,
    hasPages: Object.values(scripts).some((text) => webScript.test(text)),
    hasFramework: nearest.manifests.some(([file]) => frameworkFiles.has(file)),
    isMixed: nearest.manifests.some(([file]) => file !== "package.json"),
    isCertain,
  };
}

function rootName(root: FolderFacts): { name: string; isCertain: boolean } {
  const { name, isCertain } = nameOf(root);
  return { name, isCertain };
}

function isProject({ manifests, checkout }: FolderFacts): boolean {
  return checkout !== undefined || manifests.some(([, its]) => its.counts);
}

function isWorkspace({ workspace, manifests }: FolderFacts): boolean {
  return workspace || manifests.some(([, its]) => its.workspace);
}

/** The first file of the folder that says a name, or else the folder's. */
function nameOf(facts: FolderFacts): Pick<Project, "name" | "because" | "isCertain"> {
  const { path, manifests, checkout } = facts;
  const place = printablePath(path);
  const others = manifests.length > 1;
  for (const [file, { name }] of manifests) {
    if (name === undefined || (others && file === "package.json" && assets.test(name))) continue;
    const label = labelIn(name);
    if (label === undefined) continue;
    return { name: label, because: `${file} of ${place}`, isCertain: true };
  }
  const first = manifests.find(([, its]) => its.counts)?.[0];
  const its = checkout?.name ?? path.slice(path.lastIndexOf("/") + 1);
  const because =
    first === undefined
      ? `the git repository ${place}`
      : `the folder ${place}, which has a ${first}`;
  return {
    name: labelIn(its) ?? "project",
    because,
    isCertain: first === undefined || !manifests.some(([, { isBroken }]) => isBroken),
  };
}

/** A last label that is a number is read as an address, and `localhost` is the proxy itself. */
function labelIn(whole: string): string | undefined {
  const text = whole.slice(0, longestName);
  const latin = labelFrom(text);
  const label = latin !== undefined && /[a-z]/.test(latin) ? latin : projectNameFrom(text);
  const short = label.slice(0, longestLabel).replace(/-+$/, "");
  if (short === "") return undefined;
  return isNumeric(short) || short === "localhost" ? `project-${short}` : short;
}

/** `shop-web` in the workspace `shop` is its `web`. */
function shortened(name: string, root: FolderFacts | undefined): string {
  if (root === undefined) return name;
  const prefix = `${nameOf(root).name}-`;
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

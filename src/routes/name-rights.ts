/**
 * Services and the supervisor's projects -> the services, where those that take a project's name are not routed. Pure.
 */
import { baseOf } from "../manifest/project-name.ts";
import type { Service } from "./service.ts";
import type { Supervised } from "./supervised.ts";

/** A project with services that run, or that the next request would start. */
type Up = {
  name: string;
  domain: string;
  /** The base of the project's names: `shop`. */
  base: string;
  directory: string;
  /** The git repository of its folder. */
  repository: string | undefined;
  /** The names of its services. */
  names: ReadonlySet<string | undefined>;
  /** Pids of the processes that were started for the project. */
  pids: ReadonlySet<number | undefined>;
  /** Ports on which the project's processes listen, including processes that have left their parents and the folder. */
  ports: ReadonlySet<number>;
};

export type RightsOptions = {
  tlds: readonly string[];
  supervised: readonly Supervised[];
};

/**
 * A project that is up owns all names under its domain. They belong to its own processes, and to servers that its
 * person runs by hand in its folder. A server that another folder or another user runs under such a name is listed, but
 * not routed to.
 *
 * Returns the same list if nothing changes.
 */
export function withRights(
  services: readonly Service[],
  { tlds, supervised }: RightsOptions,
): readonly Service[] {
  const projects = projectsUp(supervised, tlds);
  if (projects.length === 0) return services;
  let different = false;
  /** Names whose server has no right to them: the next server with a right gets the name. */
  const open = new Set<string>();
  const judged = services.map((service) => {
    const project = projectOf(service.name, projects);
    if (project === undefined) return service;
    if (isIts(service, project) || isOtherCheckout(service, project)) {
      if (service.routable || !open.has(service.name)) return service;
      open.delete(service.name);
      different = true;
      // The server that took this name has no right to it, so the warning about that is dropped.
      return { ...service, routable: true, warnings: service.warnings.slice(1) };
    }
    if (service.routable) open.add(service.name);
    different = true;
    const why = `${project.name} is up, and names under ${project.domain} are for what runs in its folder ${project.directory}; ${remedyFor(service)}`;
    // A daemon may have judged it already.
    const others = service.warnings.filter((text) => text !== why);
    return { ...service, routable: false, warnings: [why, ...others] };
  });
  return different ? judged : services;
}

/**
 * A worktree's own label is in front of the name: `fix-nav.shop` is the same program as the project `shop`, in another
 * checkout of its repository. It takes no name that the project's own services have.
 */
function isOtherCheckout({ name, user, checkout }: Service, project: Up): boolean {
  const { label, repository } = checkout ?? {};
  if (label === undefined || user !== undefined || !name.startsWith(`${label}.`)) return false;
  return (
    !project.names.has(name) &&
    isUnder(name.slice(label.length + 1), project.base) &&
    project.repository === repository &&
    repository !== undefined
  );
}

/** The project that is up and that owns this name; undefined: it is free for everybody. */
export function projectOwning(
  name: string,
  { tlds, supervised }: { tlds: readonly string[]; supervised: readonly Supervised[] },
): Pick<Up, "name" | "domain"> | undefined {
  return projectOf(name, projectsUp(supervised, tlds));
}

/** The end of the sentence for one whose name is a project's. */
function remedyFor({ source }: Service): string {
  if (source === "given") return "name this one anew with localhostess name, or stop the project";
  if (source === "container") return "give this container another by its label localhostess.name";
  return "start this there, or give it another NAME";
}

function projectsUp(supervised: readonly Supervised[], tlds: readonly string[]): Up[] {
  return [...Map.groupBy(supervised, ({ project }) => project).values()].flatMap((services) => {
    if (!services.some(({ state, lazy }) => state !== "stopped" || lazy)) return [];
    const { project: name, domain, directory, checkout } = services[0]!;
    const repository = checkout?.repository;
    const pids = new Set(services.flatMap(({ pid }) => pid ?? []));
    const ports = new Set(services.flatMap(({ listens }) => listens));
    const names = new Set(services.flatMap((its) => [its.routeName, its.instance?.routeName]));
    return [
      { name, domain, base: baseOf(domain, tlds), directory, repository, names, pids, ports },
    ];
  });
}

/**
 * The project with the longest matching base: a project inside another's folder may have a domain under the other's.
 */
function projectOf(name: string, projects: readonly Up[]): Up | undefined {
  return projects
    .filter(({ base }) => isUnder(name, base))
    .sort((a, b) => b.base.length - a.base.length)[0];
}

function isIts({ user, root, pids, cwd, endpoint }: Service, project: Up): boolean {
  if (project.pids.has(root) || pids.some((pid) => project.pids.has(pid))) return true;
  if (project.ports.has(endpoint.port)) return true;
  return user === undefined && cwd !== undefined && isInside(cwd, project.directory);
}

/** True for `shop` itself and for `x.shop`. */
export function isUnder(name: string, base: string): boolean {
  return base !== "" && (name === base || name.endsWith(`.${base}`));
}

/** True for the folder itself and everything in it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

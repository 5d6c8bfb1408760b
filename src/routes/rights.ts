/** Services and what the supervisor says -> services of which none has a name that is a project's and none of its own. Pure. */
import { baseOf } from "../manifest/project-name.ts";
import type { Service } from "./service.ts";
import type { Supervised } from "./supervised.ts";

/** A project of which something runs, or would with the first request. */
type Up = {
  name: string;
  domain: string;
  /** What its names end in: `shop`. */
  base: string;
  directory: string;
  /** Of the processes that were started for it. */
  pids: ReadonlySet<number | undefined>;
  /** Where its processes listen, also those that have left their parents and the folder. */
  ports: ReadonlySet<number>;
};

/**
 * A project that is up has all names under its domain. They are for its own processes, and for servers that its person runs by
 * hand in its folder; what another folder or another user runs under such a name is listed, and not routed to.
 *
 * The very list that was given, where nothing is different.
 */
export function withRights(
  services: readonly Service[],
  { tlds, supervised }: { tlds: readonly string[]; supervised: readonly Supervised[] },
): readonly Service[] {
  const projects = projectsUp(supervised, tlds);
  if (projects.length === 0) return services;
  let different = false;
  /** Names whose server has no right to them: the next one that has gets the name. */
  const open = new Set<string>();
  const judged = services.map((service) => {
    const project = projectOf(service.name, projects);
    if (project === undefined) return service;
    if (isIts(service, project)) {
      if (service.routable || !open.has(service.name)) return service;
      open.delete(service.name);
      different = true;
      // What took the name over has no right to it, so that warning is none.
      return { ...service, routable: true, warnings: service.warnings.slice(1) };
    }
    if (service.routable) open.add(service.name);
    different = true;
    const why = `${project.name} is up, and names under ${project.domain} are for what runs in its folder ${project.directory}; start this there, or give it another NAME`;
    return { ...service, routable: false, warnings: [why, ...service.warnings] };
  });
  return different ? judged : services;
}

function projectsUp(supervised: readonly Supervised[], tlds: readonly string[]): Up[] {
  return [...Map.groupBy(supervised, ({ project }) => project).values()].flatMap((services) => {
    if (!services.some(({ state, lazy }) => state !== "stopped" || lazy)) return [];
    const { project: name, domain, directory } = services[0]!;
    const pids = new Set(services.flatMap(({ pid }) => pid ?? []));
    const ports = new Set(services.flatMap(({ listens }) => listens));
    return [{ name, domain, base: baseOf(domain, tlds), directory, pids, ports }];
  });
}

/** The one with the longest ending of the name: a project within another's folder may have a domain under the other's. */
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

/** `shop` itself, and `x.shop`. */
export function isUnder(name: string, base: string): boolean {
  return base !== "" && (name === base || name.endsWith(`.${base}`));
}

/** The folder itself, and what is in it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

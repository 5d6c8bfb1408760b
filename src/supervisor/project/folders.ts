/** Folders by their path -> the services of their projects, by id or by project. */
import type { ProjectSpec } from "../../manifest/project.ts";
import type { Folder } from "./folder.ts";
import type { Project } from "./project.ts";
import type { Unit } from "./unit.ts";

/** A service that is declared, with its project. */
export type Place = { folder: Folder; project: Project; unit: Unit };

/** Some services of one project. */
export type Chosen = { folder: Folder; project: Project; names: readonly string[] };

export class Folders {
  readonly #make: (directory: string) => Folder;
  readonly #all = new Map<string, Folder>();

  constructor(make: (directory: string) => Folder) {
    this.#make = make;
  }

  all(): Folder[] {
    return [...this.#all.values()];
  }

  /** The folder of that path, made on first use. */
  of(directory: string): Folder {
    const known = this.#all.get(directory);
    if (known !== undefined) return known;
    const made = this.#make(directory);
    this.#all.set(directory, made);
    return made;
  }

  known(directory: string): Folder | undefined {
    return this.#all.get(directory);
  }

  /** The folder of the one path is at the other. */
  move(from: string, to: string): Folder | undefined {
    const folder = this.#all.get(from);
    if (folder === undefined) return undefined;
    this.#all.delete(from);
    this.#all.set(to, folder);
    return folder;
  }

  forget(directory: string): void {
    this.#all.delete(directory);
  }

  /** Does something with the folder, and forgets it where nothing came of that. */
  async with<T>(directory: string, work: (folder: Folder) => Promise<T>): Promise<T> {
    const folder = this.of(directory);
    try {
      return await work(folder);
    } finally {
      if (folder.isBlank) this.#all.delete(directory);
    }
  }

  /** The specs of projects that are active, or about to be. */
  activeSpecs(): ProjectSpec[] {
    return this.all().flatMap(({ project, coming }) => [
      ...(project?.isActive ? [project.spec] : []),
      ...(coming === undefined ? [] : [coming]),
    ]);
  }

  places(): Place[] {
    return this.all().flatMap((folder) => {
      const { project } = folder;
      if (project === undefined) return [];
      return project.units().map((unit) => ({ folder, project, unit }));
    });
  }

  place(id: string): Place | undefined {
    const [name, service] = id.split(":");
    for (const folder of this.#all.values()) {
      const { project } = folder;
      if (project === undefined || project.spec.name !== name) continue;
      const unit = project.unit(service ?? "");
      if (unit !== undefined) return { folder, project, unit };
    }
    return undefined;
  }

  /** The services that the ids name, by project. Unknown ids are left out. */
  byProject(ids: readonly string[]): Chosen[] {
    const found = new Map<Project, Chosen & { names: string[] }>();
    for (const id of ids) {
      const place = this.place(id);
      if (place === undefined) continue;
      const { folder, project, unit } = place;
      const chosen = found.get(project) ?? { folder, project, names: [] };
      chosen.names.push(unit.spec.name);
      found.set(project, chosen);
    }
    return [...found.values()];
  }
}

/** `[project]` -> the project's name, domain and reload, or the errors in them. Pure. */
import type { Table } from "../layer.ts";
import { tableIn } from "../layer.ts";
import type { ProjectSpec, Reload } from "../project.ts";
import { labelOf, projectNameFrom, projectNameMistake, readDomain } from "../project-name.ts";
import { projectSchema } from "../schema.ts";
import type { Reading } from "./reading.ts";
import { noteProjectSettings } from "./settings.ts";

export type ReadProjectTable = Pick<ProjectSpec, "name" | "domain" | "reload"> & {
  /** The domain without its ending. */
  routeName: string;
};

export function readProjectTable(reading: Reading): ReadProjectTable {
  const { options, tree, mistakes, fields } = reading;
  const { directory, tlds = [] } = options;
  const its = tableIn(tree, "project");
  fields.read(its, { key: "env_file", schema: projectSchema });
  fields.read(its, { key: "shell", schema: projectSchema });
  noteProjectSettings(its, reading);
  const reload = reloadOf(its, reading);
  const written = fields.read<string>(its, { key: "name", schema: projectSchema });
  const folder = directory.slice(directory.lastIndexOf("/") + 1);
  const name = written?.value ?? projectNameFrom(folder);
  if (written === undefined && !its.entries.has("name")) {
    fields.noteDefault(["project", "name"], name);
  }
  const wrong = projectNameMistake(name);
  if (wrong !== undefined) mistakes.add(written ?? its, wrong);
  const own = fields.read<string>(its, { key: "domain", schema: projectSchema });
  const unnamed = wrong !== undefined || name.toLowerCase() === "localhost";
  const domain = readDomain(own?.value ?? (unnamed ? "unnamed" : (labelOf(name) ?? name)), tlds);
  if (domain.kind === "mistake") {
    mistakes.add(own ?? written ?? its, domain.why);
    return { name, domain: "", routeName: "unnamed", reload };
  }
  if (own === undefined) fields.noteDefault(["project", "domain"], domain.domain);
  if (own === undefined && wrong === undefined && unnamed) {
    mistakes.add(written ?? its, "localhost is the proxy itself; choose another name");
  }
  return { name, domain: domain.domain, routeName: domain.routeName, reload };
}

/** The one key that the lowest layer wins: a project must not say how far it is trusted. */
function reloadOf(its: Table, { options, fields }: Reading): ProjectSpec["reload"] {
  const personal = options.layers
    .filter((layer) => layer.personal)
    .map((layer) => tableIn(layer.tree, "project"))
    .find((own) => own.entries.get("reload")?.kind === "leaf");
  const read = fields.read<Reload>(personal ?? its, { key: "reload", schema: projectSchema });
  return { value: read?.value ?? "git", personal: personal !== undefined };
}

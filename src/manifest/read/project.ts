/** `[project]` -> the project's name, domain and reload, or the errors in them. Pure. */
import type { Table } from "../layer.ts";
import { tableIn } from "../layer.ts";
import type { ProjectSpec, Reload } from "../project.ts";
import { projectSchema } from "../schema.ts";
import { domainOf, nameOf, wrongName } from "./naming.ts";
import type { Reading } from "./reading.ts";
import { noteProjectSettings } from "./settings.ts";

export type ReadProjectTable = Pick<ProjectSpec, "name" | "domain" | "reload"> & {
  /** The name as all checkouts have it: a service with this name has the project's own address. */
  own: string;
  /** The domain without its ending. */
  routeName: string;
};

export function readProjectTable(reading: Reading): ReadProjectTable {
  const { options, tree, mistakes, warnings, fields } = reading;
  const { tlds = [], local, naming = {} } = options;
  const its = tableIn(tree, "project");
  fields.read(its, { key: "env_file", schema: projectSchema });
  fields.read(its, { key: "shell", schema: projectSchema });
  noteProjectSettings(its, reading);
  const reload = reloadOf(its, reading);
  const written = fields.read<string>(its, { key: "name", schema: projectSchema, quiet: true });
  const named = nameOf(written, options);
  const { name, own } = named;
  if (written !== undefined && written.value === name) fields.note(["project", "name"], written);
  else if (!its.entries.has("name") || written !== undefined) {
    fields.noteDefault(["project", "name"], name);
  }
  const wrong = wrongName(named);
  if (wrong !== undefined) mistakes.add(written ?? its, wrong);
  const domainKey = fields.read<string>(its, {
    ...{ key: "domain", schema: projectSchema },
    quiet: true,
  });
  const unnamed = wrong !== undefined || name.toLowerCase() === "localhost";
  const asked = {
    named: unnamed ? { name: "unnamed", own: "unnamed", isOther: false } : named,
    ...{ naming, local, tlds },
  };
  let domain = domainOf({ ...asked, written: domainKey });
  if (domain.kind === "mistake" && domain.instead !== undefined && domainKey !== undefined) {
    warnings.add(domainKey, domain.why);
    domain = domainOf({ ...asked, written: { ...domainKey, value: domain.instead } });
  }
  if (domain.kind === "mistake") {
    mistakes.add(domainKey ?? written ?? its, domain.why);
    return { name, own, domain: "", routeName: "unnamed", reload };
  }
  const isWritten = domainKey !== undefined && (!named.isOther || domainKey.source === local);
  if (isWritten) fields.note(["project", "domain"], domainKey);
  else fields.noteDefault(["project", "domain"], domain.domain);
  if (domainKey === undefined && wrong === undefined && unnamed) {
    mistakes.add(written ?? its, "localhost is the proxy itself; choose another name");
  }
  return { name, own, domain: domain.domain, routeName: domain.routeName, reload };
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

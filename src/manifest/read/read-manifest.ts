/** The layers of a project and its env files -> the project, with the origin of each value; or every error. Pure. */
import { type Table, tableIn } from "../layer.ts";
import { merged } from "../merge.ts";
import { noPlans, withPlans, type WrittenService, writtenService } from "../planned.ts";
import type { FreedPort, ProjectSpec, WorktreeSpec } from "../project.ts";
import { serviceNameMistake } from "../project-name.ts";
import { reportShared } from "./addresses.ts";
import { type Field, Fields } from "./fields.ts";
import { type Groups, groupsIn } from "./groups.ts";
import { withInstances } from "./instances.ts";
import { Mistakes } from "./mistakes.ts";
import { readProjectTable } from "./project.ts";
import type { ManifestOptions } from "./options.ts";
import { isUnknown, typeIn } from "./own.ts";
import { reportUnreachable } from "./reachable.ts";
import type { Reading } from "./reading.ts";
import { type Declared, readService } from "./service.ts";
import { Variables } from "./variables.ts";
import { withWaits } from "./waits.ts";
import { readWorktree } from "./worktree.ts";

export type ReadManifest =
  | {
      kind: "project";
      project: ProjectSpec;
      worktree: WorktreeSpec;
      fields: readonly Field[];
      /** Services that plugins may know: see `claimed`. */
      written: readonly WrittenService[];
    }
  /** Sentences, each with file, line and key. */
  | {
      kind: "mistakes";
      mistakes: string[];
      /** Undefined where a file is no valid TOML. */
      worktree?: WorktreeSpec;
      written?: readonly WrittenService[];
      /** The project's name, where it can be told. */
      name?: string;
    };

export function readManifest(options: ManifestOptions): ReadManifest {
  const { layers, directory } = options;
  const mistakes = new Mistakes();
  const found = layers.flatMap((layer) => layer.mistakes);
  // Whatever an unreadable layer declares would be reported as missing everywhere else.
  if (layers.some((layer) => !layer.readable)) {
    mistakes.addAll(found);
    return { kind: "mistakes", mistakes: mistakes.sentences(layers) };
  }
  const fields = new Fields();
  const files = merged(layers);
  const all = tableIn(files, "services");
  const { plans = noPlans, claimed = [] } = options;
  const made = withPlans(all, plans);
  const tree = withServices(files, made.services);
  const standing = new Set(plans.accepted.map(({ service }) => service));
  // Keys of a type that nobody knows, or that a plugin does, are nobody's to judge.
  const foreign = new Set(
    [...all.entries].flatMap(([name, its]) =>
      its.kind === "table" && (isUnknown(its) || standing.has(name) || made.refused.has(name))
        ? [name]
        : [],
    ),
  );
  const written = [...all.entries].flatMap(([name, its]) => {
    if (its.kind !== "table") return [];
    const asks = foreign.has(name) || claimed.includes(typeIn(its));
    return asks ? [writtenService(name, its, plans)] : [];
  });
  mistakes.addAll(
    found.filter(({ path: [table, name, key] }) => {
      return table !== "services" || !foreign.has(String(name)) || key === "plugin";
    }),
  );
  mistakes.addAll(made.mistakes);
  const warnings = new Mistakes();
  const variables = new Variables({ ...options, mistakes, warnings, fields });
  const services = tableIn(tree, "services");
  const groups = groupsIn(services, made.standIns);
  const freed: FreedPort[] = [];
  const reading: Reading = {
    options,
    tree,
    services,
    groups,
    mistakes,
    warnings,
    fields,
    variables,
    freed,
    plans: made,
  };
  const { routeName, own, ...project } = readProjectTable(reading);
  const base = { name: own, routeName };
  const declared = declaredIn(reading, base);
  const instances = withInstances(declared, { groups: reading.groups, project: base, mistakes });
  reportUnreachable(declared, { groups, mistakes, warnings });
  reportShared([...sharedBy(declared, reading.groups), ...instances], mistakes);
  const specs = withWaits(instances, mistakes);
  const worktree = readWorktree(reading);
  if (mistakes.any) {
    const { name } = project;
    return { kind: "mistakes", mistakes: mistakes.sentences(layers), worktree, written, name };
  }
  return {
    kind: "project",
    project: {
      ...project,
      directory,
      services: specs,
      ...(options.checkout === undefined ? {} : { checkout: options.checkout }),
      ...(freed.length === 0 ? {} : { freedPorts: freed }),
      files: options.files ?? [],
      warnings: warnings.sentences(layers),
    },
    worktree,
    fields: fields.all,
    written,
  };
}

function withServices(tree: Table, services: Table): Table {
  if (!tree.entries.has("services")) return tree;
  return { ...tree, entries: new Map(tree.entries).set("services", services) };
}

/** The addresses that instances share are taken too. */
function sharedBy(declared: readonly Declared[], groups: Groups): Declared[] {
  return declared
    .filter(({ spec }) => groups.has(spec.name))
    .map((its) => ({ ...its, spec: { ...its.spec, port: undefined } }));
}

function declaredIn(reading: Reading, project: { name: string; routeName: string }): Declared[] {
  const { tree, services, mistakes, variables } = reading;
  const shared = variables.shared(tree);
  const declared: Declared[] = [];
  for (const [name, node] of services.entries) {
    const wrong = serviceNameMistake(name);
    if (wrong !== undefined) mistakes.add(node, wrong);
    if (node.kind === "table") {
      declared.push(readService(name, { table: node, project, shared }, reading));
    }
  }
  if (services.entries.size === 0 && !tree.entries.has("services")) {
    const { layers, local } = reading.options;
    const own = layers.findLast((layer) => layer.tree.source !== local)?.tree ?? tree;
    // Some editors empty a file before they write it: nothing that runs is ended for that.
    const told = own.entries.size === 0 ? mistakes : reading.warnings;
    told.add(own, 'no services are declared; add [services.web] with command = "..."');
  }
  return declared;
}

/** The layers of a project and its env files -> the project, with the origin of each value; or every error. Pure. */
import { tableIn } from "../layer.ts";
import { merged } from "../merge.ts";
import type { FreedPort, ProjectSpec, WorktreeSpec } from "../project.ts";
import { serviceNameMistake } from "../project-name.ts";
import { reportShared } from "./addresses.ts";
import { type Field, Fields } from "./fields.ts";
import { type Groups, groupsIn } from "./groups.ts";
import { withInstances } from "./instances.ts";
import { Mistakes } from "./mistakes.ts";
import { readProjectTable } from "./project.ts";
import type { ManifestOptions } from "./options.ts";
import { isUnknown } from "./own.ts";
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
    }
  /** Sentences, each with file, line and key. */
  | {
      kind: "mistakes";
      mistakes: string[];
      /** Undefined where a file is no valid TOML. */
      worktree?: WorktreeSpec;
    };

export function readManifest(options: ManifestOptions): ReadManifest {
  const { layers, directory, files = [] } = options;
  const mistakes = new Mistakes();
  const found = layers.flatMap((layer) => layer.mistakes);
  // Whatever an unreadable layer declares would be reported as missing everywhere else.
  if (layers.some((layer) => !layer.readable)) {
    mistakes.addAll(found);
    return { kind: "mistakes", mistakes: mistakes.sentences(layers) };
  }
  const fields = new Fields();
  const tree = merged(layers);
  // Keys of a type that nobody knows are nobody's to judge.
  const foreign = new Set(
    [...tableIn(tree, "services").entries].flatMap(([name, its]) =>
      its.kind === "table" && isUnknown(its) ? [name] : [],
    ),
  );
  mistakes.addAll(
    found.filter(({ path }) => path[0] !== "services" || !foreign.has(String(path[1]))),
  );
  const warnings = new Mistakes();
  const variables = new Variables({ ...options, mistakes, warnings, fields });
  const services = tableIn(tree, "services");
  const groups = groupsIn(services);
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
  };
  const { routeName, own, ...project } = readProjectTable(reading);
  const base = { name: own, routeName };
  const declared = declaredIn(reading, base);
  const all = withInstances(declared, { groups: reading.groups, project: base, mistakes });
  reportUnreachable(declared, { groups, mistakes, warnings });
  reportShared([...sharedBy(declared, reading.groups), ...all], mistakes);
  const specs = withWaits(all, mistakes);
  const worktree = readWorktree(reading);
  if (mistakes.any) return { kind: "mistakes", mistakes: mistakes.sentences(layers), worktree };
  return {
    kind: "project",
    project: {
      ...project,
      directory,
      services: specs,
      ...(options.checkout === undefined ? {} : { checkout: options.checkout }),
      ...(freed.length === 0 ? {} : { freedPorts: freed }),
      files,
      warnings: warnings.sentences(layers),
    },
    worktree,
    fields: fields.all,
  };
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

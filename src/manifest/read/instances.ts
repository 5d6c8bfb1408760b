/** Services with `instances` -> a service for each instance, and edges to all of them; or the errors in that. Pure. */
import { routeNameOf, serviceNameMistake } from "../project-name.ts";
import type { Groups } from "./groups.ts";
import type { Mistakes } from "./mistakes.ts";
import type { Declared } from "./service.ts";

export type ExpandOptions = {
  groups: Groups;
  project: { name: string; routeName: string };
  mistakes: Mistakes;
};

/** Services in the order of the file, an instance after the other. An edge to a group is one to each instance. */
export function withInstances(
  declared: readonly Declared[],
  { groups, project, mistakes }: ExpandOptions,
): Declared[] {
  if (groups.size === 0) return [...declared];
  const all = (names: readonly string[]) => names.flatMap((name) => groups.get(name) ?? [name]);
  const names = new Set(declared.map((its) => its.spec.name));
  return declared.flatMap((its) => {
    const { spec, table, hard, soft } = its;
    const edges = (these: Declared["hard"]): Declared["hard"] =>
      these.flatMap((edge) => all([edge.to]).map((to) => ({ ...edge, to })));
    const linked = { ...its, hard: edges(hard), soft: edges(soft) };
    const restartWith = all(spec.restartWith);
    const instances = groups.get(spec.name);
    if (instances === undefined) return [{ ...linked, spec: { ...spec, restartWith } }];
    const at = table.entries.get("instances")!;
    const port = table.entries.get("port");
    if (spec.schedule !== undefined) {
      mistakes.add(
        at,
        `${spec.name} runs by its schedule, one run at a time; remove one of the two`,
      );
    }
    if (port !== undefined && instances.length > 1) {
      const what = `${instances.length} instances cannot share a port; without it, each has its own`;
      mistakes.add(port, what);
    }
    return instances.map((name, index) => {
      const wrong = serviceNameMistake(name);
      if (wrong !== undefined) mistakes.add(at, wrong);
      if (names.has(name)) {
        mistakes.add(at, `it makes ${name}, which is declared too; rename one of them`);
      }
      const own = spec.routeName === undefined ? undefined : routeNameOf(name, project);
      const instance = { of: spec.name, number: index + 1, routeName: spec.routeName };
      // As within its own service, an instance may refer to itself.
      const others = linked.hard.filter(({ to, why }) => to !== name || why === "depends_on");
      return {
        ...linked,
        hard: others,
        spec: {
          ...spec,
          name,
          port: instances.length > 1 ? undefined : spec.port,
          restartWith: restartWith.filter((other) => other !== name),
          routeName: own,
          instance,
        },
      };
    });
  });
}

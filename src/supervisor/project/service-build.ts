/** A service of a project, by its files as they are now -> the order of its build, and the environment for that. */
import { orderVariable } from "../../manifest/order.ts";
import type { ServiceSpec } from "../../manifest/project.ts";
import { envOf, type ServiceEnvOptions } from "./service-env.ts";
import type { Unit } from "./unit.ts";

export type ServiceBuild = {
  /** `shop:web`, also where there are several instances of it. */
  service: string;
  /** On top of the shell's. */
  env: Record<string, string>;
  /** JSON of an `Order`. */
  order: string;
};

export type ServiceBuilds =
  /** In the order in which they are to be built. */
  { kind: "builds"; builds: readonly ServiceBuild[] } | { kind: "none"; why: string };

/** Undefined: nothing of it is built. */
export function serviceBuild(
  unit: Unit,
  options: ServiceEnvOptions,
): { kind: "build"; build: ServiceBuild } | { kind: "none"; why: string } | undefined {
  const spec = buildable(unit.spec);
  if (spec === undefined) return undefined;
  const { id } = unit;
  const { instance, name } = spec;
  const filled = options.project.filled({ spec, shell: options.shell });
  if (filled.kind === "mistakes") return { kind: "none", why: filled.mistakes.join("\n") };
  const service = instance === undefined ? id : `${id.slice(0, -name.length)}${instance.of}`;
  const env = envOf(filled.spec, { ...options, unit });
  const order = filled.spec.env[orderVariable]!;
  return { kind: "build", build: { service, env, order } };
}

/** Its spec with a build of its own. The command of a site is one that has no inputs. */
function buildable(spec: ServiceSpec): ServiceSpec | undefined {
  const { own, command, unusable } = spec;
  if (own === undefined || unusable !== undefined) return undefined;
  switch (own.kind) {
    case "built":
      return spec;
    case "container":
      return own.build === undefined ? undefined : spec;
    case "site":
      if (command === "") return undefined;
      return { ...spec, own: { kind: "built", build: { kind: "command", command, inputs: [] } } };
    case "postgres":
    case "store":
      return undefined;
  }
}

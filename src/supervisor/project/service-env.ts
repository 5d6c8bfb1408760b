/** A service of a project, by its files as they are now -> the environment that it has on top of its shell's. */
import { orderVariable } from "../../manifest/order.ts";
import { hasPort, type ServiceSpec } from "../../manifest/project.ts";
import { environmentOf } from "../service/environment.ts";
import type { Project } from "./project.ts";
import type { Shell, Unit } from "./unit.ts";

export type ServiceEnv =
  { kind: "env"; env: Record<string, string> } | { kind: "none"; why: string };

export type ServiceEnvOptions = {
  project: Project;
  /** Fills references to the shell's environment. */
  shell: Shell;
  /** The port that a service has or would have. */
  portOf(id: string, declared: number | undefined): number | undefined;
  urlOf(routeName: string): string;
  trust: Readonly<Record<string, string>>;
};

export function serviceEnv(unit: Unit, options: ServiceEnvOptions): ServiceEnv {
  const { project, shell } = options;
  const filled = project.filled({ spec: unit.spec, shell });
  if (filled.kind === "mistakes") return { kind: "none", why: filled.mistakes.join("\n") };
  return { kind: "env", env: envOf(filled.spec, { ...options, unit }) };
}

/** For a command that borrows it: without what is said to our own program alone. */
export function envOf(
  { env, ...spec }: ServiceSpec,
  { unit: { id }, portOf, urlOf, trust }: ServiceEnvOptions & { unit: Unit },
): Record<string, string> {
  const { [orderVariable]: _order, ...declared } = env;
  const { routeName } = spec;
  return environmentOf(
    // A command has the terminal that it is run in.
    { ...spec, env: declared, pty: false },
    {
      shell: {},
      port: hasPort(spec) ? portOf(id, spec.port) : undefined,
      url: routeName === undefined ? undefined : urlOf(routeName),
      trust,
      run: undefined,
    },
  );
}

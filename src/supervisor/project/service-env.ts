/** A service of a project, by its files as they are now -> the environment that it has on top of its shell's. */
import { orderVariable } from "../../manifest/order.ts";
import { hasPort } from "../../manifest/project.ts";
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
  const { project, shell, urlOf, trust } = options;
  const { id, spec } = unit;
  const port = hasPort(spec) ? options.portOf(id, spec.port) : undefined;
  const filled = project.filled({ spec, shell });
  if (filled.kind === "mistakes") return { kind: "none", why: filled.mistakes.join("\n") };
  const { routeName } = unit.spec;
  // Its order is for our own program alone.
  const { [orderVariable]: _order, ...declared } = filled.spec.env;
  const env = environmentOf(
    // A command has the terminal that it is run in.
    { ...filled.spec, env: declared, pty: false },
    {
      shell: {},
      port,
      url: routeName === undefined ? undefined : urlOf(routeName),
      trust,
      run: undefined,
    },
  );
  return { kind: "env", env };
}

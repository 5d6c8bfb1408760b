/** `container`: our program is the client of an engine, for as long as the container runs. */
import type { ServiceSpec } from "../../manifest/project.ts";
import { type ContainerSpec, furtherField, furtherPort } from "../../manifest/types/own.ts";
import type { Kind, KindFacts } from "./kind.ts";
import { ordered } from "./ordered.ts";

/** Those for which the file leaves open where they are published. */
function furtherPorts({ own }: ServiceSpec): readonly string[] {
  const { ports } = own as ContainerSpec;
  return ports.flatMap((its) => (its.outside === undefined ? furtherPort(its) : []));
}

export const container: Kind = {
  launched(spec, facts) {
    const { health, readyPattern } = spec;
    const isOurs = health?.ask.kind === "command" || health?.ask.kind === "tcp";
    const byAnother = readyPattern !== undefined || (health !== undefined && !isOurs);
    const made = ordered(spec, {
      facts,
      place: undefined,
      further: furtherPorts(spec),
      changed: {
        readiness: byAnother ? "asked" : "program",
        check: isOurs ? health : undefined,
      },
    });
    return {
      ...made,
      // An engine's relay takes every connection, and a command is run inside.
      health: isOurs ? undefined : health,
      // The limit is the container's, and the signal is sent to the program inside: ours asks the engine for it.
      limits: { memory: undefined },
      stopSignal: "SIGTERM",
    };
  },
  furtherPorts,
  gives(spec, { port, portOf }) {
    const further = (spec.own as ContainerSpec).ports.flatMap((its) => {
      const at = its.outside ?? portOf(furtherPort(its));
      return at === undefined ? [] : [[furtherField(its), String(at)]];
    });
    const own =
      port === undefined
        ? {}
        : { port: String(port), host: "localhost", url: `http://localhost:${port}` };
    return { fields: { ...Object.fromEntries(further), ...own }, variables: {} };
  },
  tidy: (spec: ServiceSpec, { directory, machine }: KindFacts) =>
    machine.removeContainers({ directory, service: spec.name }),
};

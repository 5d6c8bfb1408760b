/** `container`: our program is the client of an engine, for as long as the container runs. */
import type { ServiceSpec } from "../../manifest/project.ts";
import { type Kind, type KindFacts, nothing } from "./kind.ts";
import { ordered } from "./ordered.ts";

export const container: Kind = {
  launched(spec, facts) {
    const { health, readyPattern } = spec;
    const isOurs = health?.ask.kind === "command" || health?.ask.kind === "tcp";
    const byAnother = readyPattern !== undefined || (health !== undefined && !isOurs);
    const made = ordered(spec, {
      facts,
      place: undefined,
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
  gives(_spec, { port }) {
    if (port === undefined) return nothing;
    return {
      fields: { port: String(port), host: "localhost", url: `http://localhost:${port}` },
      variables: {},
    };
  },
  tidy: (spec: ServiceSpec, { directory, machine }: KindFacts) =>
    machine.removeContainers({ directory, service: spec.name }),
};

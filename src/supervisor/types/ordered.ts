/** A managed service -> its spec with our own program in the place of a command, and the program's order. Pure. */
import { type Order, orderVariable, orderWord, type StorePlace } from "../../manifest/order.ts";
import type { ServiceSpec } from "../../manifest/project.ts";
import type { SiteSpec } from "../../manifest/types/own.ts";
import type { KindFacts } from "./kind.ts";

/** Milliseconds that our program is given on top of the service's own, before SIGKILL. */
const graceOnTop = 5000;

export type OrderedOptions = {
  facts: KindFacts;
  place: StorePlace | undefined;
  /** The kind's `furtherPorts`. */
  further?: readonly string[];
  /** The kind's own part of the order. */
  changed?: Partial<Order>;
};

export function ordered(
  spec: ServiceSpec,
  { facts, place, further = [], changed }: OrderedOptions,
): ServiceSpec {
  const { id, project, directory, port, machine } = facts;
  const order: Order = {
    id,
    project,
    directory,
    service: spec.name,
    instanceOf: spec.instance?.of,
    own: spec.own as Exclude<NonNullable<ServiceSpec["own"]>, SiteSpec>,
    command: spec.command,
    port,
    ports: Object.fromEntries(
      further.flatMap((suffix) => {
        const its = facts.portOf(suffix);
        return its === undefined ? [] : [[suffix, its]];
      }),
    ),
    routeName: spec.routeName,
    variables: Object.keys(spec.env),
    place,
    cache: machine.cache,
    owner: machine.owner,
    stopTimeout: spec.stopTimeout,
    memory: spec.limits.memory,
    check: undefined,
    build: undefined,
    only: undefined,
    clean: false,
    readiness: "asked",
    engineNotes: machine.engineNotes,
    ...changed,
    pty: spec.pty,
    engines: machine.engines,
  };
  return {
    ...spec,
    program: machine.ownProgram([orderWord]),
    env: { ...spec.env, [orderVariable]: JSON.stringify(order) },
    stopTimeout: spec.stopTimeout + graceOnTop,
  };
}

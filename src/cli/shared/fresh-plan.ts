/** A plan of this moment, and ports -> what is kept of it, and what it comes to. */
import { type AppliedPlan, appliedPlan, portNames } from "../../plugins/apply-plan.ts";
import type { NewPlan } from "../../plugins/make-plans.ts";
import { planForm } from "../../plugins/plan-form.ts";
import { allPlanRecords, type PlanRecord, type RecordedPlan } from "../../plugins/plan-records.ts";
import { choosePort } from "../../supervisor/project/ports.ts";
import { Failure } from "./failure.ts";
import { callsOf, type PlannedOptions } from "./plan-options.ts";

/** A plan that holds now. */
export type Current = {
  plan: RecordedPlan;
  /** Undefined: the plan was accepted before, and its files are there. */
  applied: AppliedPlan | undefined;
};

export type FreshOptions = Omit<PlannedOptions, "again"> & {
  record: PlanRecord;
  strangers: ReadonlySet<number>;
};

/** A plan with ports, the same as before where they are free. @throws a Failure where none is. */
export function freshPlan(its: NewPlan, options: FreshOptions): Current {
  const { service, plugin, plan, order } = its;
  const { context, grantedTo } = callsOf(options);
  const ports = portsFor(its, options);
  const applied = appliedPlan(order, ports);
  return {
    applied,
    plan: {
      ...{ service: service.name, plugin: plugin.name, sha256: plugin.sha256, from: plugin.from },
      ...{ written: service.fingerprint, workspace: context.workspaceId },
      granted: grantedTo(plugin),
      capabilities: [...new Set(order.map(({ operation }) => operation.kind))],
      plan: planForm(plan) as Record<string, unknown>,
      ...{ services: { ...applied.services }, ports, images: [...applied.images] },
    },
  };
}

function portsFor(
  { service, order }: NewPlan,
  { directory, read, effects, record, strangers }: FreshOptions,
): Record<string, number> {
  const others = allPlanRecords(effects.stateDirectory).filter(
    // This folder's own, also where it was before it was moved.
    (its) => its.directory !== directory && its.identity !== record.identity,
  );
  const plans = [...record.plans, ...others.flatMap((its) => its.plans)];
  const rest = plans.filter((its) => its.service !== service.name || !record.plans.includes(its));
  const declared = read.kind === "project" ? read.project.services : [];
  const taken = new Set(rest.flatMap((its) => Object.values(its.ports)));
  for (const { port, plugin } of declared) {
    if (port !== undefined && plugin === undefined) taken.add(port);
  }
  const before = record.plans.find((its) => its.service === service.name)?.ports ?? {};
  const ports: Record<string, number> = {};
  for (const name of portNames(order)) {
    const sticky = Object.hasOwn(before, name) ? before[name] : undefined;
    // Its own service, which goes on or is replaced, may still listen there.
    const isFree = (port: number): boolean =>
      port === sticky ? !strangers.has(port) : effects.isFree(port);
    const id = `${directory}:${service.name}/${name}`;
    const kept = new Set(Object.values(before));
    const port = choosePort(id, { sticky, taken, kept, loopback: { isFree } });
    if (port === undefined) throw new Failure("failed", `${service.name}: no port is free`);
    taken.add(port);
    ports[name] = port;
  }
  return ports;
}

/** A service that runs and is to be restarted -> the reason why another process could not start in its place. */
import { hasPort } from "../../manifest/project.ts";
import { upCommand } from "../../routes/pending.ts";
import { blockers, type Held, unseenWhy, type Unit, waitText } from "./unit.ts";
import type { ProjectEffects, Units } from "./units.ts";

export type HeldByOptions = {
  units: Units;
  effects: Pick<ProjectEffects, "portOf" | "isFree" | "isFolder">;
  /** Services that are ended and started again with it: it need not find them ready. */
  going: ReadonlySet<string>;
};

/** Undefined: nothing is missing. */
export function heldBy(unit: Unit, { units, effects, going }: HeldByOptions): Held | undefined {
  const { directory } = units.spec;
  const unable = unseenWhy(unit, directory) ?? unableWhy(unit, { units, effects });
  if (unable !== undefined) return { why: unable, isFinal: true };
  const waits = blockers(unit, units.byName).filter((its) => !going.has(its.unit.spec.name));
  if (waits.length === 0) return undefined;
  const { lost, why } = waitText(waits);
  if (lost === undefined) return { why, isFinal: false };
  return { why: `${why}; ${upCommand(directory)} ${lost.spec.name} starts it`, isFinal: true };
}

function unableWhy(
  unit: Unit,
  { units, effects }: Pick<HeldByOptions, "units" | "effects">,
): string | undefined {
  const { id, spec, service } = unit;
  if (!effects.isFolder(spec.workdir)) return `there is no folder ${spec.workdir}`;
  if (hasPort(spec)) {
    const port = effects.portOf(id, spec.port);
    if (port === undefined) return "there is no free port for it";
    // Its own process listens on the port that it has.
    const its = service?.snapshot();
    const own = its !== undefined && (its.port === port || its.listens.includes(port));
    if (!own && !effects.isFree(port)) return `another program listens on its port ${port}`;
  }
  const filled = units.fill(unit);
  return filled.kind === "mistakes" ? filled.mistakes.join("; ") : undefined;
}

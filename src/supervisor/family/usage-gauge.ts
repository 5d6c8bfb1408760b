/** Runs of services -> the processor time and memory of each, measured on request, never waited for long. */
import type { Clock } from "../../system/clock.ts";
import type { Families, Run } from "./family.ts";

export type Taken = {
  /** Per cent of one processor, between the last two looks, or since its start. */
  cpu: number;
  /** Resident bytes. */
  memory: number;
};

export interface Gauge {
  /** Usage by id, at most a second old, or from the last look where a new one takes too long. */
  read(): Promise<ReadonlyMap<string, Taken>>;
}

export type GaugeOptions = {
  clock: Clock;
  families: Pick<Families, "usage">;
  /** `age`: milliseconds since the start. */
  runs(): readonly { id: string; run: Run; age: number }[];
};

/** Milliseconds for which a look is good. */
const fresh = 1000;
/** Milliseconds that an answer waits for a look. */
const patience = 10;

type Seen = Taken & { runId: string; total: number; at: number };

export function usageGauge({ clock, families, runs }: GaugeOptions): Gauge {
  let seen: ReadonlyMap<string, Seen> = new Map();
  let looked = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const found = new Map<string, Seen>();
    await Promise.all(
      runs().map(async ({ id, run, age }) => {
        const { cpu: total, memory } = await families.usage(run);
        const at = clock.now();
        const before = seen.get(id);
        const same = before?.runId === run.runId ? before : undefined;
        const since = same?.at ?? at - age;
        const spent = Math.max(0, total - (same?.total ?? 0));
        const cpu = at > since ? Math.round((spent / (at - since)) * 1000) / 10 : 0;
        found.set(id, { cpu, memory, runId: run.runId, total, at });
      }),
    );
    seen = found;
    looked = clock.now();
  }

  return {
    async read() {
      if (clock.now() - looked < fresh) return seen;
      looking ??= look()
        // The machine cannot be looked at, which the families report: what was seen last stands.
        .catch(() => {})
        .finally(() => {
          looking = undefined;
        });
      let cancel = (): void => {};
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(patience, resolve);
      });
      await Promise.race([looking, late]);
      cancel();
      return seen;
    },
  };
}

import { expect, test } from "bun:test";
import {
  type SiteEvent,
  siteEvents,
  siteHanded,
  type SitePhase,
  sitePhases,
  siteShownAs,
  siteStep,
} from "../../src/supervisor/service/site-states.ts";

const end = { stop: "stopping end", restart: "restarting end" };

/** Every pair that does something, written down a second time: next phase, then what is to be done. */
const expected: Record<SitePhase, Partial<Record<SiteEvent, string>>> = {
  stopped: { start: "building build", restart: "building build" },
  building: { ...end, renew: "outdated", built: "opening open", unbuilt: "failed" },
  outdated: { ...end, built: "building build", unbuilt: "building build" },
  opening: { ...end, opened: "ready", shut: "failed", held: "waiting wait" },
  ready: { ...end, renew: "rebuilding build" },
  rebuilding: { ...end, renew: "again", built: "ready show", unbuilt: "stale" },
  again: { ...end, built: "rebuilding build", unbuilt: "rebuilding build" },
  stale: { ...end, renew: "rebuilding build" },
  failed: {
    ...{ start: "building build", restart: "building build", renew: "building build" },
    stop: "stopping end",
  },
  waiting: { ...end, waited: "opening open" },
  stopping: { start: "restarting", restart: "restarting", ended: "stopped" },
  restarting: { stop: "stopping", ended: "building build" },
};

test("every phase and event of a site has the step that is written here, and no other", () => {
  for (const phase of sitePhases) {
    for (const event of siteEvents) {
      const found = siteStep(phase, event);
      const shown = found && [found.next, found.action].filter(Boolean).join(" ");
      expect({ phase, event, shown }).toEqual({ phase, event, shown: expected[phase][event] });
    }
  }
});

test("from every phase a stop leads to stopped, and a start after it to building", () => {
  for (const phase of sitePhases) {
    const stopped = phase === "stopped" ? phase : (siteStep(phase, "stop")?.next ?? phase);
    expect(["stopping", "stopped"]).toContain(stopped);
    const ended = stopped === "stopped" ? stopped : siteStep(stopped, "ended")!.next;
    expect(siteStep(ended, "start")?.next).toBe("building");
  }
});

test("a phase that the next daemon gets is shown there as it was here", () => {
  for (const [phase, state] of Object.entries(siteHanded)) {
    expect(siteShownAs[phase as SitePhase]).toBe(state);
  }
});

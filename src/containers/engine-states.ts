/** The state of a container engine, and an event -> the next state, and an action. Pure: this table alone decides. */

/**
 * `away`: nothing is to be asked at its path. `joining`: it is asked for the first time. `following`: its containers
 * are known, and its events come. `silent`: the same, but it has not answered in time; it is asked again. `lost`: its
 * events have ended, which a restart does, too; it is asked once more while its names stay. `resting`: it failed, and
 * has no names; it is asked again after a pause, which grows. `ended`: we stop.
 */
export const engineStates = [
  "away",
  "joining",
  "following",
  "silent",
  "lost",
  "resting",
  "ended",
] as const;

export type EngineState = (typeof engineStates)[number];

export const engineEvents = [
  /** A socket that may be asked is at the path. */
  "there",
  /** Nothing is there, or nothing that may be asked. */
  "gone",
  /** The list of its containers has come. */
  "listed",
  /** No whole answer has come in time. */
  "late",
  /** No answer has come for so long that its names no longer count. */
  "given-up",
  /** No connection, an answer that cannot be read, or the end of its events. */
  "broken",
  /** The pause is over. */
  "due",
  "stop",
] as const;

export type EngineEvent = (typeof engineEvents)[number];

export type EngineStep = {
  next: EngineState;
  /** `ask`: for its events and its list, anew. `list`: for its list, once more. `rest`: a pause begins. */
  action?: "ask" | "list" | "rest";
  /** Its names go. */
  forget?: true;
};

type Row = Partial<Record<EngineEvent, EngineStep>>;

const stop = { stop: { next: "ended", forget: true } } as const satisfies Row;
const goesAway = { gone: { next: "away", forget: true } } as const satisfies Row;

/** An event that a row does not have changes nothing. */
const table: Record<EngineState, Row> = {
  away: { there: { next: "joining", action: "ask" }, ...stop },
  joining: {
    listed: { next: "following" },
    late: { next: "resting", action: "rest" },
    broken: { next: "resting", action: "rest" },
    ...goesAway,
    ...stop,
  },
  following: {
    listed: { next: "following" },
    late: { next: "silent", action: "list" },
    broken: { next: "lost", action: "ask" },
    ...goesAway,
    ...stop,
  },
  silent: {
    listed: { next: "following" },
    late: { next: "silent", action: "list" },
    "given-up": { next: "resting", action: "rest", forget: true },
    broken: { next: "lost", action: "ask" },
    ...goesAway,
    ...stop,
  },
  lost: {
    listed: { next: "following" },
    late: { next: "resting", action: "rest", forget: true },
    "given-up": { next: "resting", action: "rest", forget: true },
    broken: { next: "resting", action: "rest", forget: true },
    ...goesAway,
    ...stop,
  },
  resting: {
    // The file is a new one: the engine has just started.
    there: { next: "joining", action: "ask" },
    due: { next: "joining", action: "ask" },
    ...goesAway,
    ...stop,
  },
  ended: {},
};

export function engineStep(state: EngineState, event: EngineEvent): EngineStep | undefined {
  return table[state][event];
}

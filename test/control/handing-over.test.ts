/** The end of a handover that has something to give: every event in every state, and who keeps silent. */
import { beforeEach, describe, expect, test } from "bun:test";
import {
  type Action,
  type Answering,
  type Conversation,
  type Event,
  events,
  type Failed,
  HandingOver,
  longest,
  longestSilence,
  patience,
  type State,
  states,
  table,
  usualTrial,
} from "../../src/control/found/handing-over.ts";
import type { HandedPart, Line } from "../../src/supervisor/handed.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";

let clock: FakeClock;
let did: string[];
let answers: [value: unknown, descriptors: readonly number[]][];
let ended: boolean;
let conversation: Conversation | undefined;
let line: Line | undefined;

let canReturn: boolean;
let canEnd: boolean;

const failedAs = ({ pid, version, after, why }: Failed): string =>
  `${pid} ${version} ${after} ${why}`;

const services: HandedPart = {
  async give(batch) {
    did.push(`give ${batch}`);
    return batch > 1 ? undefined : { value: { batch }, descriptors: [50, 51] };
  },
  takeBack: () => void did.push("services back"),
  given(its) {
    did.push("services given");
    its.tell({ early: true });
    line = its;
  },
  settle: () => void did.push("services settled"),
  comeBack: () => void did.push("services come back"),
  keeps: 0,
  left: async () => {},
};

const to: Answering = {
  answer(value, descriptors) {
    answers.push([value, descriptors]);
    return !ended;
  },
  // As the door does: the end of the conversation is told like one that the other side has made.
  end() {
    ended = true;
    conversation?.ended();
  },
  descriptor: 60,
};

function handing(given: HandedPart | undefined = services): HandingOver {
  return new HandingOver({
    clock,
    sockets: () => [
      { place: { as: "main", address: "127.0.0.1", port: 7357 }, descriptor: 40 },
      { place: { as: "ipc", path: "/run/socket", inode: "7" }, descriptor: 41 },
    ],
    trial: usualTrial,
    services: given && (() => given),
    lend() {
      did.push("lend");
      return canReturn;
    },
    comeBack: (successor, failed) => void did.push(`back from ${successor}`, failedAs(failed)),
    endProcess(pid) {
      did.push(`end ${pid}`);
      if (canEnd) conversation!.ended();
      return canEnd;
    },
    begin: (successor) => void did.push(`begin ${successor}`),
    takeBack: (successor) => void did.push(`back from ${successor}`),
    leave: () => void did.push("leave"),
  });
}

beforeEach(() => {
  clock = new FakeClock();
  did = [];
  answers = [];
  ended = false;
  line = undefined;
  canReturn = canEnd = true;
  conversation = undefined;
});

/** Every pair, written down a second time. */
const expected: Record<State, Record<Event, [Action, State]>> = {
  serving: {
    asked: ["begin", "offered"],
    "take sockets": ["refuse", "serving"],
    "take services": ["refuse", "serving"],
    tried: ["refuse", "serving"],
    done: ["refuse", "serving"],
    ended: ["refuse", "serving"],
    stays: ["nothing", "serving"],
    hangs: ["nothing", "serving"],
  },
  offered: {
    asked: ["say busy", "offered"],
    "take sockets": ["give sockets", "offered"],
    "take services": ["give services", "frozen"],
    tried: ["lend", "lent"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
    stays: ["nothing", "offered"],
    hangs: ["nothing", "offered"],
  },
  frozen: {
    asked: ["say busy", "frozen"],
    "take sockets": ["give sockets", "frozen"],
    "take services": ["give services", "frozen"],
    tried: ["lend", "lent"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
    stays: ["nothing", "frozen"],
    hangs: ["nothing", "frozen"],
  },
  lent: {
    asked: ["say busy", "lent"],
    "take sockets": ["nothing", "lent"],
    "take services": ["nothing", "lent"],
    tried: ["nothing", "lent"],
    done: ["nothing", "lent"],
    ended: ["come back", "serving"],
    stays: ["leave", "left"],
    hangs: ["end it", "lent"],
  },
  left: {
    asked: ["say busy", "left"],
    "take sockets": ["refuse", "left"],
    "take services": ["refuse", "left"],
    tried: ["refuse", "left"],
    done: ["refuse", "left"],
    ended: ["let go", "left"],
    stays: ["nothing", "left"],
    hangs: ["nothing", "left"],
  },
};

describe.each([...states])("a daemon that is %s", (state) => {
  test.each([...events])("%s", (event) => {
    expect([...table[state][event]]).toEqual(expected[state][event]);
  });
});

test("sockets, then services, then the end: each answer says how many descriptors are beside it", async () => {
  const its = handing();
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "sockets" });
  expect(answers.pop()).toEqual([
    {
      sockets: [
        { as: "main", address: "127.0.0.1", port: 7357 },
        { as: "ipc", path: "/run/socket", inode: "7" },
      ],
      descriptors: 2,
    },
    [40, 41],
  ]);
  for (const batch of [0, 1]) {
    conversation.hear({ take: "services", batch });
    await turn();
    expect(answers.pop()).toEqual([{ services: { batch }, descriptors: 2 }, [50, 51]]);
  }
  conversation.hear({ take: "services", batch: 2 });
  await turn();
  expect(answers.pop()).toEqual([{ services: null }, []]);
  conversation.hear({ done: true, services: true });
  // Whatever the services have to say comes behind the answer.
  expect(answers.splice(0)).toEqual([
    [{ yours: true }, []],
    [{ early: true }, []],
    [{ settled: true }, []],
  ]);
  expect(did).toEqual([
    "begin next",
    "give 0",
    "give 1",
    "give 2",
    "services given",
    "lend",
    "services settled",
    "leave",
  ]);
  expect(line!.descriptor).toBe(60);
  expect(its.state).toBe("left");
  expect(clock.waiting).toBe(0);
});

test("what is said after the end is the services' affair, also that the other daemon is gone", () => {
  const its = handing();
  conversation = its.begin("next", to)!;
  conversation.hear({ done: true, services: true });
  const heard: unknown[] = [];
  line!.hear = (value) => void heard.push(value);
  line!.ended = () => void heard.push("gone");
  conversation.hear({ any: "thing" });
  expect(line!.tell({ exited: 7 })).toBe(true);
  expect(answers.pop()).toEqual([{ exited: 7 }, []]);
  conversation.ended();
  conversation.ended();
  expect(heard).toEqual([{ any: "thing" }, "gone"]);
  expect(its.begin("third", to)).toBeUndefined();
});

test.each<[what: string, said: unknown[], did: string[]]>([
  ["at once", [], []],
  ["with the sockets", [{ take: "sockets" }], []],
  ["with the services", [{ take: "services" }], ["give 0"]],
])("one that goes %s leaves everything as it was, and another may come", (_what, said, between) => {
  const its = handing();
  conversation = its.begin("next", to)!;
  for (const one of said) conversation.hear(one);
  conversation.ended();
  conversation.ended();
  expect(did).toEqual(["begin next", ...between, "services back", "back from next"]);
  // A word that was on its way counts for nothing.
  conversation.hear({ done: true });
  expect(its.state).toBe("serving");
  expect(its.begin("other", to)).toBeDefined();
});

test("one that says nothing for ten seconds is given up, each word counting anew", () => {
  const its = handing();
  conversation = its.begin("next", to)!;
  clock.advance(patience - 1);
  conversation.hear({ take: "sockets" });
  clock.advance(patience - 1);
  expect(its.state).toBe("offered");
  clock.advance(1);
  expect(ended).toBe(true);
  expect(did.at(-1)).toBe("back from next");
  expect(its.state).toBe("serving");
  expect(clock.waiting).toBe(0);
});

test("one that asks for ever is given up after a minute", () => {
  const its = handing();
  conversation = its.begin("next", to)!;
  for (let waited = 0; waited < longest - 1_000; waited += 1_000) {
    conversation.hear({ take: "sockets" });
    clock.advance(1_000);
  }
  expect(its.state).toBe("offered");
  conversation.hear({ take: "sockets" });
  clock.advance(1_000);
  expect(its.state).toBe("serving");
  expect(clock.waiting).toBe(0);
});

test.each<[what: string, said: unknown]>([
  ["nothing", null],
  ["a text", "done"],
  ["another question", { take: "everything" }],
  ["a done that is none", { done: "yes" }],
])("%s ends the conversation, and the daemon goes on", (_what, said) => {
  const its = handing();
  conversation = its.begin("next", to)!;
  conversation.hear(said);
  expect(ended).toBe(true);
  expect(its.state).toBe("serving");
});

test("services that the other daemon does not want are ended here", () => {
  const its = handing();
  conversation = its.begin("next", to)!;
  conversation.hear({ done: true });
  expect(did).toEqual(["begin next", "services back", "lend", "leave"]);
  expect(its.state).toBe("left");
});

test("services that cannot be given are no reason not to give the rest", async () => {
  const failing: HandedPart = {
    ...services,
    give: () => Promise.reject(new Error("they are on fire")),
  };
  const its = handing(failing);
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "services", batch: 0 });
  await turn();
  expect(answers).toEqual([[{ services: null, why: "they are on fire" }, []]]);
  conversation.hear({ done: true, services: false });
  expect(its.state).toBe("left");
});

test("services may take their time, and whoever goes meanwhile gets nothing", async () => {
  const slow = Promise.withResolvers<undefined>();
  const its = handing({ ...services, give: () => slow.promise });
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "services", batch: 0 });
  clock.advance(patience + 1);
  expect(its.state).toBe("frozen");
  conversation.ended();
  slow.resolve(undefined);
  await turn();
  expect(answers).toEqual([]);
  expect(did.slice(-2)).toEqual(["services back", "back from next"]);
});

test("an answer that could arrive in pieces is not sent with descriptors", async () => {
  const much: HandedPart = {
    ...services,
    give: async () => ({ value: { text: "x".repeat(5_000) }, descriptors: [9] }),
  };
  const its = handing(much);
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "services", batch: 0 });
  await turn();
  expect(answers).toEqual([]);
  expect(its.state).toBe("serving");
});

test("a daemon without services to give says so", async () => {
  const its = new HandingOver({
    clock,
    trial: usualTrial,
    sockets: () => [],
    lend: () => true,
    comeBack() {},
    endProcess: () => true,
    begin() {},
    takeBack() {},
    leave() {},
  });
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "services", batch: 0 });
  await turn();
  expect(answers).toEqual([[{ services: null }, []]]);
});

// --- on trial

const done = { done: true, services: true, trial: { pid: 7, version: "1.2.3" } };

/** The next daemon has everything, and answers each question from then on where `answers` says so. */
function onTrial(answering: () => boolean = () => true): HandingOver {
  const its = handing();
  conversation = its.begin("next", {
    ...to,
    answer(value, descriptors) {
      const { ping } = value as { ping?: number };
      if (ping !== undefined && answering()) conversation!.hear({ pong: ping });
      return to.answer(value, descriptors);
    },
  })!;
  conversation.hear(done);
  return its;
}

test("a daemon that has everything is on trial for ten seconds, and then it stays", () => {
  const its = onTrial();
  expect(answers[0]).toEqual([{ yours: true, trial: true }, []]);
  expect(its.state).toBe("lent");
  clock.advance(usualTrial - 1);
  expect(did).toEqual(["begin next", "services given", "lend"]);
  clock.advance(1);
  expect(its.state).toBe("left");
  expect(did.slice(3)).toEqual(["services settled", "leave"]);
  expect(answers.at(-1)).toEqual([{ settled: true }, []]);
  expect(clock.waiting).toBe(0);
});

test("one that is gone before gives back, and another may come", () => {
  const its = onTrial();
  clock.advance(3_000);
  conversation!.hear({ failed: "it is on fire" });
  conversation!.ended();
  conversation!.ended();
  expect(did.slice(3)).toEqual([
    "back from next",
    "7 1.2.3 3000 it is on fire",
    "services come back",
  ]);
  expect(its.state).toBe("serving");
  expect(clock.waiting).toBe(0);
  did = [];
  conversation = its.begin("other", to)!;
  conversation.hear(done);
  expect(its.state).toBe("lent");
  expect(did).toEqual(["begin other", "services given", "lend"]);
});

test.each<[what: string, over: (its: HandingOver) => void]>([
  ["that ends as it was told to", () => conversation!.hear({ released: true })],
  ["before a daemon that is told to end itself", (its) => its.settle()],
])("one %s has not failed", (_what, over) => {
  const its = onTrial();
  clock.advance(1_000);
  over(its);
  expect(its.state).toBe("left");
  conversation!.ended();
  expect(did).not.toContain("services come back");
  expect(did.slice(-2)).toEqual(["services settled", "leave"]);
  over(its);
  expect(did.slice(-2)).toEqual(["services settled", "leave"]);
});

test("one that is slow is left alone, for as long as it answers within twenty seconds", () => {
  let isSlow = true;
  const its = onTrial(() => !isSlow);
  clock.advance(longestSilence - 1);
  expect(its.state).toBe("lent");
  isSlow = false;
  clock.advance(500);
  expect(did).not.toContain("end 7");
  clock.advance(500);
  expect(its.state).toBe("left");
});

test("one is not taken for hanging where we stood still ourselves, and its answers wait to be read", () => {
  let isRead = true;
  const its = onTrial(() => isRead);
  clock.advance(3_000);
  clock.stand(longestSilence + 5_000);
  isRead = false;
  clock.advance(0);
  expect(its.state).toBe("lent");
  expect(did).toEqual(["begin next", "services given", "lend"]);
  isRead = true;
  clock.advance(1_000);
  expect(its.state).toBe("left");
});

test("one that hangs is ended, so that nobody else has what goes on here", () => {
  const its = onTrial(() => false);
  clock.advance(longestSilence);
  expect(did.slice(3)).toEqual([
    "end 7",
    "back from next",
    "7 1.2.3 20000 it answered nothing for 20 s, and was ended",
    "services come back",
  ]);
  expect(its.state).toBe("serving");
});

test("one that hangs and cannot be ended keeps everything: two would do the same work", () => {
  canEnd = false;
  const its = onTrial(() => false);
  clock.advance(longestSilence);
  expect(its.state).toBe("left");
  expect(did.slice(3)).toEqual(["end 7", "services settled", "leave"]);
});

test.each<[what: string, said: unknown]>([
  ["that does not know what a trial is", { done: true, services: true }],
  ["that does not say who it is", { ...done, trial: { pid: "7" } }],
  [
    "whose number is no process, to which a signal goes to all",
    { ...done, trial: { pid: -1, version: "1" } },
  ],
  ["that starts the services again", { ...done, services: false }],
])("one %s is not on trial", (_what, said) => {
  const its = handing();
  conversation = its.begin("next", to)!;
  conversation.hear(said);
  expect(its.state).toBe("left");
  expect(answers[0]).toEqual([{ yours: true }, []]);
});

test("nobody is on trial where there is no way back", () => {
  canReturn = false;
  const its = onTrial();
  expect(answers[0]).toEqual([{ yours: true }, []]);
  expect(its.state).toBe("left");
});

test("while one is on trial, a third daemon waits", () => {
  const its = onTrial();
  expect(its.begin("third", to)).toBeUndefined();
});

test("what it says of services on trial is theirs", () => {
  onTrial();
  const heard: unknown[] = [];
  line!.hear = (value) => void heard.push(value);
  conversation!.hear({ supervised: 1 });
  conversation!.hear({ pong: 1 });
  expect(heard).toEqual([{ supervised: 1 }]);
});

/** The end of a handover that has something to give: every event in every state, and who keeps silent. */
import { beforeEach, describe, expect, test } from "bun:test";
import {
  type Action,
  type Answering,
  type Conversation,
  type Event,
  events,
  HandingOver,
  longest,
  patience,
  type State,
  states,
  table,
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
    services: given && (() => given),
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
  conversation = undefined;
});

/** Every pair, written down a second time. */
const expected: Record<State, Record<Event, [Action, State]>> = {
  serving: {
    asked: ["begin", "offered"],
    "take sockets": ["refuse", "serving"],
    "take services": ["refuse", "serving"],
    done: ["refuse", "serving"],
    ended: ["refuse", "serving"],
  },
  offered: {
    asked: ["say busy", "offered"],
    "take sockets": ["give sockets", "offered"],
    "take services": ["give services", "frozen"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
  },
  frozen: {
    asked: ["say busy", "frozen"],
    "take sockets": ["give sockets", "frozen"],
    "take services": ["give services", "frozen"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
  },
  left: {
    asked: ["say busy", "left"],
    "take sockets": ["refuse", "left"],
    "take services": ["refuse", "left"],
    done: ["refuse", "left"],
    ended: ["let go", "left"],
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
  ]);
  expect(did).toEqual(["begin next", "give 0", "give 1", "give 2", "services given", "leave"]);
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
  expect(did).toEqual(["begin next", "services back", "leave"]);
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
    sockets: () => [],
    begin() {},
    takeBack() {},
    leave() {},
  });
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "services", batch: 0 });
  await turn();
  expect(answers).toEqual([[{ services: null }, []]]);
});

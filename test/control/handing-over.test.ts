/** The end of a handover that has something to give: every event in every state, and who keeps silent. */
import { beforeEach, describe, expect, test } from "bun:test";
import {
  type Action,
  type Answering,
  type Conversation,
  type Event,
  events,
  type HandedPart,
  HandingOver,
  type Line,
  patience,
  type State,
  states,
  table,
} from "../../src/control/found/handing-over.ts";
import { FakeClock } from "../support/fake-clock.ts";

let clock: FakeClock;
let did: string[];
let answers: [value: unknown, descriptors: readonly number[]][];
let ended: boolean;
let conversation: Conversation | undefined;
let line: Line | undefined;

const services: HandedPart = {
  give(batch) {
    did.push(`give ${batch}`);
    return { value: { services: [batch], more: batch < 1 }, descriptors: [50, 51] };
  },
  takeBack: () => void did.push("services back"),
  left(its) {
    did.push("services left");
    line = its;
  },
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
};

function handing(given: HandedPart | undefined = services): HandingOver {
  return new HandingOver({
    clock,
    sockets: () => [
      { place: { as: "main", address: "127.0.0.1", port: 7357 }, descriptor: 40 },
      { place: { as: "ipc", path: "/run/socket", inode: "7" }, descriptor: 41 },
    ],
    services: given,
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

test("sockets, then services, then the end: each answer says how many descriptors are beside it", () => {
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
  conversation.hear({ take: "services", batch: 0 });
  expect(answers.pop()).toEqual([{ services: [0], more: true, descriptors: 2 }, [50, 51]]);
  conversation.hear({ take: "services", batch: 1 });
  conversation.hear({ done: true });
  expect(answers.pop()).toEqual([{ yours: true }, []]);
  expect(did).toEqual(["begin next", "give 0", "give 1", "services left", "leave"]);
  expect(its.state).toBe("left");
  expect(clock.waiting).toBe(0);
});

test("what is said after the end is the services' affair, also that the other daemon is gone", () => {
  const its = handing();
  conversation = its.begin("next", to)!;
  conversation.hear({ done: true });
  const heard: unknown[] = [];
  line!.hear = (value) => heard.push(value);
  line!.ended = () => heard.push("gone");
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

test("an answer that could arrive in pieces is not sent with descriptors", () => {
  const much = {
    ...services,
    give: () => ({ value: { text: "x".repeat(5_000) }, descriptors: [9] }),
  };
  const its = handing(much);
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "services", batch: 0 });
  expect(answers).toEqual([]);
  expect(its.state).toBe("serving");
});

test("a daemon without services to give says so", () => {
  const its = new HandingOver({
    clock,
    sockets: () => [],
    begin() {},
    takeBack() {},
    leave() {},
  });
  conversation = its.begin("next", to)!;
  conversation.hear({ take: "services", batch: 0 });
  expect(answers).toEqual([[{ services: [] }, []]]);
});

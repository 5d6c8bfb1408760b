import { describe, expect, test } from "bun:test";
import type { Ending } from "../../src/supervisor/family/ending.ts";
import { begun, type Member } from "../../src/supervisor/family/ending-plan.ts";
import { programEnding } from "../../src/supervisor/family/program-ending.ts";

const plain: Member = {
  ...{ pid: 1, parent: 0, answer: "catches", shell: false, leads: false, forked: false },
  ...{ deaf: false, writers: [] },
};
const shell = { shell: true, answer: "dies" } as const;

const code = (its: number): Ending => ({ code: its, signal: null });
const term: Ending = { code: null, signal: "SIGTERM" };

type Case = {
  name: string;
  /** Each is the child of the one before, unless it says otherwise. */
  members: Partial<Member>[];
  own: Ending;
  endings: Record<number, Ending>;
  shown: Ending;
};

const cases: Case[] = [
  { name: "a program alone", members: [{}], own: code(3), endings: {}, shown: code(3) },
  {
    name: "a program under a shell",
    members: [shell, {}],
    own: term,
    endings: { 2: code(3) },
    shown: code(3),
  },
  {
    name: "a program that ended by the signal, under a shell",
    members: [shell, {}],
    own: term,
    endings: { 2: term },
    shown: term,
  },
  {
    name: "a program that was killed with its shell",
    members: [shell, {}],
    own: { code: null, signal: "SIGKILL" },
    endings: { 2: { code: null, signal: "SIGKILL" } },
    shown: { code: null, signal: "SIGKILL" },
  },
  {
    name: "npm, which reaps its shell",
    members: [shell, {}, shell, {}],
    own: term,
    endings: { 2: code(143), 4: code(3) },
    shown: code(3),
  },
  {
    name: "a runner with a code of its own",
    members: [shell, {}, shell, {}],
    own: term,
    endings: { 2: code(7), 4: code(3) },
    shown: code(7),
  },
  {
    name: "a runner whose program nobody has seen end",
    members: [shell, {}, {}],
    own: term,
    endings: { 2: code(143) },
    shown: code(143),
  },
  {
    name: "a program and the reader of its output",
    members: [shell, { parent: 1 }, { parent: 1, answer: "dies", writers: [2] }],
    own: term,
    endings: { 2: code(3), 3: code(0) },
    shown: code(3),
  },
  {
    name: "the last of two that a shell has started",
    members: [shell, { parent: 1 }, { parent: 1 }],
    own: term,
    endings: { 2: code(1), 3: code(3) },
    shown: code(3),
  },
  {
    name: "a runner and its guard",
    members: [
      shell,
      {},
      { parent: 2, shell: true, answer: "ignores" },
      { ...shell, parent: 2 },
      {},
    ],
    own: term,
    endings: { 2: term, 5: code(3) },
    shown: code(3),
  },
  {
    name: "a trap that exits",
    members: [{ shell: true }, {}],
    own: code(5),
    endings: { 2: code(3) },
    shown: code(5),
  },
  {
    name: "a server and its worker",
    members: [shell, {}, { forked: true }],
    own: term,
    endings: { 2: term, 3: code(0) },
    shown: term,
  },
];

describe("the exit that is shown", () => {
  for (const { name, members, own, endings, shown } of cases) {
    test(name, () => {
      const all = members.map((its, at) => ({ ...plain, pid: at + 1, parent: at, ...its }));
      const { plan } = begun(all, { now: 0 });
      const seen = new Map(Object.entries(endings).map(([pid, its]) => [Number(pid), its]));
      const family = { main: 1, plan, endings: seen, signal: "SIGTERM" } as const;
      expect(programEnding(own, family)).toEqual(shown);
    });
  }
});

/** A project of eight, one of each kind, as a person has it: cloned, brought up, stopped, and its daemon killed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { Random, suiteSeed } from "../support/random.ts";
import { killedDuringUp } from "../support/killed-during-up.ts";
import {
  edges,
  lackingForWhole,
  names,
  type WholeProject,
  wholeProject,
} from "../support/whole-project.ts";

const needs = lackingForWhole();

/** Milliseconds, on a busy machine. */
const patience = 180_000;

describe.skipIf(needs !== "")(`a project of eight${needs}`, () => {
  let project: WholeProject;
  /** Milliseconds that the first `up` took. */
  let takes = 0;
  beforeAll(async () => {
    project = await wholeProject();
  }, patience);
  afterAll(async () => {
    await project?.[Symbol.asyncDispose]();
  }, patience);

  test(
    "up in a clean clone reaches ready in order, and every part reaches those it needs",
    async () => {
      const before = performance.now();
      const { code, err, out } = await project.run("up");
      takes = performance.now() - before;
      expect({ code, said: code === 0 ? "" : `${out}${err}` }).toEqual({ code: 0, said: "" });
      const rows = await project.rows();
      expect([...rows.keys()].sort()).toEqual(names);
      for (const [name, { state }] of rows) {
        expect([name, state]).toEqual([name, name === "migrate" ? "completed" : "ready"]);
      }
      for (const [name, needed] of Object.entries(edges)) {
        for (const other of needed) {
          const { ready_at, exit } = rows.get(other)!;
          const there = Date.parse(other === "migrate" ? exit!.time : ready_at!);
          const its = rows.get(name)!;
          // A task that has ended has no start any more.
          const start = Date.parse(its.started_at ?? its.exit!.time);
          const order = `${other} before ${name}`;
          expect([order, start >= there]).toEqual([order, true]);
        }
      }
      expect(err.indexOf("migrate: running")).toBeGreaterThan(err.indexOf("db: ready"));
      await eventually("the worker has worked", async () => (await project.shop()).worked !== null);
      expect(await project.shop()).toMatchObject({ goods: ["kettle"], file: "from a container\n" });
      expect(await project.page("docs")).toContain("The handbook");
      expect(await project.page("web", "/message.js")).toContain("hello");
      expect(await project.page("files")).toBe("from a container\n");
      expect(await project.containers()).toEqual(["files"]);
    },
    patience,
  );

  test(
    "stop leaves no process and no container",
    async () => {
      expect((await project.run("stop")).code).toBe(0);
      expect(project.processes()).toEqual([]);
      expect(await project.containers()).toEqual([]);
      expect((await project.committed()).length).toBeGreaterThan(0);
    },
    patience,
  );

  test(
    "after the daemon is killed at a random moment of up, the next up is whole, and committed rows are there",
    async () => {
      const random = new Random(suiteSeed());
      expect(await killedDuringUp(project, { rounds: 1, random, takes })).toEqual([]);
    },
    patience,
  );
});

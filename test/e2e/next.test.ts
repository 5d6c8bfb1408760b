/** Next with a Server Action, by every way to a name: its check of Origin, its redirect, its cookie, its updates. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { frameworks, type FrameworkServer, startFramework } from "../support/frameworks.ts";
import { type Program, startProgram } from "../support/program.ts";
import { Visitor, type Way, ways } from "../support/visitor.ts";
import { describeWith } from "../support/with-programs.ts";

describeWith(frameworks.Next.needs)("Next", () => {
  let program: Program;
  let next: FrameworkServer;

  beforeAll(async () => {
    [program, next] = await Promise.all([startProgram(["--tld", "test"]), startFramework("Next")]);
    // Next compiles a page when it is first asked for, which takes as long as the machine is busy.
    const compiled = await fetch(`http://127.0.0.1:${next.port}/`);
    expect({ status: compiled.status, said: next.output() }).toMatchObject({ status: 200 });
  }, 120_000);

  afterAll(async () => {
    await next?.[Symbol.asyncDispose]();
    await program?.stop();
  });

  test.each(Object.keys(ways) as Way[])("by %s", async (way) => {
    await using visitor = new Visitor(next.name, { way, port: program.port });
    const page = await visitor.get("/");
    expect({ status: page.status, form: page.body.includes("<form") }).toEqual({
      status: 200,
      form: true,
    });
    const sent = await visitor.submit("/", page, { message: "hello there" });
    expect(visitor.led(sent)).toBe("/said");
    const said = await visitor.get("/said");
    expect(said.body).toContain("said hello there");
    const { status } = await visitor.webSocket("/_next/hmr?id=test");
    expect(status).toBe(101);
  });
});

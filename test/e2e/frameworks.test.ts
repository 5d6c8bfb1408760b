/** Servers of the field as they come, by every way to a name: pages, forms, redirects, cookies, WebSockets. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { lacking } from "../support/debian.ts";
import {
  type FrameworkName,
  frameworks,
  type FrameworkServer,
  startFramework,
} from "../support/frameworks.ts";
import { type Program, startProgram } from "../support/program.ts";
import { type Answer, Visitor, type Way, ways } from "../support/visitor.ts";
import { describeWith } from "../support/with-programs.ts";

let program: Program;
/** All begin to start at once. */
const servers = new Map<FrameworkName, Promise<FrameworkServer>>();

function startAll(): void {
  for (const framework of Object.keys(visits) as FrameworkName[]) {
    if (lacking(frameworks[framework].needs) !== "") continue;
    const starting = startFramework(framework);
    // Its own tests say so.
    starting.catch(() => {});
    servers.set(framework, starting);
  }
}

beforeAll(async () => {
  startAll();
  program = await startProgram(["--tld", "test"]);
}, 60_000);

afterAll(async () => {
  await program?.stop();
  for (const outcome of await Promise.allSettled(servers.values())) {
    if (outcome.status === "fulfilled") await outcome.value[Symbol.asyncDispose]();
  }
});

/** A form at `/` leads to `/said`, which says what the session knows. */
async function formAndSession(visitor: Visitor): Promise<void> {
  const page = await visitor.get("/");
  expect(shown(page)).toEqual({ status: 200, body: expect.stringContaining("<form") });
  const sent = await visitor.submit("/", page, { message: "hello there" });
  expect(visitor.led(sent)).toBe("/said");
  expect(shown(await visitor.get("/said"))).toEqual({
    status: 200,
    body: expect.stringContaining("said hello there"),
  });
}

const visits: Partial<Record<FrameworkName, (visitor: Visitor) => Promise<void>>> = {
  async "Bun's welcome page"(visitor) {
    expect(shown(await visitor.get("/"))).toEqual({
      status: 200,
      body: expect.stringContaining("Welcome to Bun!"),
    });
  },
  async "Python's CGI server"(visitor) {
    const page = await visitor.get("/cgi-bin/form.py");
    expect(shown(page)).toEqual({ status: 200, body: expect.stringContaining("said None") });
    const sent = await visitor.submit("/cgi-bin/form.py", page, { message: "hello" });
    expect(shown(sent)).toEqual({ status: 200, body: "said hello\n" });
    const again = await visitor.get("/cgi-bin/form.py");
    expect(again.body).toContain("said hello");
    expect(visitor.led(await visitor.get("/folder"))).toBe("/folder/");
  },
  Django: formAndSession,
  Flask: formAndSession,
  "PHP's server": formAndSession,
  async nginx(visitor) {
    expect(shown(await visitor.get("/"))).toEqual({
      status: 200,
      body: expect.stringContaining("a file"),
    });
    expect(visitor.led(await visitor.get("/folder"))).toBe("/folder/");
    expect((await visitor.submit("/", await visitor.get("/"), { message: "x" })).status).toBe(405);
  },
  async Rails(visitor) {
    await formAndSession(visitor);
    const { status, said } = await visitor.webSocket("/cable", "actioncable-v1-json");
    expect({ status, said: said.toString() }).toEqual({
      status: 101,
      said: expect.stringContaining("welcome"),
    });
  },
};

function shown({ status, body }: Answer): Pick<Answer, "status" | "body"> {
  return { status, body: body.slice(0, 1_000) };
}

for (const framework of Object.keys(visits) as FrameworkName[]) {
  describeWith(frameworks[framework].needs)(framework, () => {
    test.each(Object.keys(ways) as Way[])("by %s", async (way) => {
      const { name } = await servers.get(framework)!;
      await using visitor = new Visitor(name, { way, port: program.port });
      await visits[framework]!(visitor);
    });
  });
}

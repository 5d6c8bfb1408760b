/** Real programs that animate their output, in a real daemon: their lines, when they are ready, and who follows. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { OutputLine } from "../../src/routes/project-report.ts";
import { session } from "../cli/cli.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";

const patience = 120_000;

const service = (name: string, command: string, more = ""): string => `
[services.${name}]
type = "worker"
command = ${JSON.stringify(command)}
ready_pattern = "^ready on"
${more}`;

/** Draws three tasks over one another, as listr does, and then says that it is ready. */
const tasks = `
const rows = (mark) => ["install", "build", "test"].map((name) => mark + " " + name + "\\n").join("");
process.stdout.write(rows("-"));
let at = 0;
const timer = setInterval(() => {
  const mark = ++at < 20 ? "|/-\\\\"[at % 4] : "ok";
  process.stdout.write("\\x1b[2K\\x1b[1A".repeat(3) + "\\x1b[2K\\x1b[G" + rows(mark));
  if (at < 20) return;
  clearInterval(timer);
  console.log("ready on 3000");
  setInterval(() => {}, 1000);
}, 40);
`;

const app = 'setTimeout(() => console.log("ready on 3000"), 300); setInterval(() => {}, 1000);';

const toml = `
[project]
name = "lines"
${service("npm", "npm run dev")}
${service("pipes", "npm run dev", "pty = false")}
${service("frames", "printf '\\033[1G\\033[0K-'; sleep 0.1; printf '\\033[1G\\033[0K'; echo 'ready on 3000'; sleep 100")}
${service("tasks", "exec node tasks.cjs")}
[services.prompt]
type = "worker"
command = "printf 'begin\\nName? '; read name; echo hello $name; printf 'Again? '; sleep 100"
`;

let place: ProjectPlace;
let directory: string;

beforeAll(async () => {
  place = await projectPlace();
  directory = await place.project("lines", toml);
  const scripts = { dev: "node app.cjs" };
  await place.write(join(directory, "package.json"), JSON.stringify({ scripts }));
  await place.write(join(directory, "app.cjs"), app);
  await place.write(join(directory, "tasks.cjs"), tasks);
  expect((await place.up(directory)).at(-1)).toBe("Ok");
}, patience);

afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
}, patience);

test.each(["npm", "pipes", "frames", "tasks"])(
  "%s is ready by a line that its animation came before, and the log has the line and no frame",
  async (name) => {
    const logs = () => place.logs(`lines:${name}`);
    expect(await logs()).toContain("ready on 3000");
    for (const line of await logs()) expect(line).not.toContain("\u001b");
    if (name !== "tasks") return;
    await eventually("the tasks stand", async () => (await logs()).includes("ok test"));
    expect((await logs()).length).toBeLessThan(15);
  },
  patience,
);

test(
  "a prompt is an open line, which a follower gets once, and once complete",
  async () => {
    const env = place.daemon.env;
    await using json = session(["logs", "-f", "--json", "lines:prompt"], { env, terminal: false });
    await using pipe = session(["logs", "-f", "lines:prompt"], { env, terminal: false });
    await using screen = session(["logs", "-f", "lines:prompt"], { env });
    await json.until((output) => output.includes('"open":true'));
    await pipe.until((output) => output.includes("Name?  [open]\n"));
    await screen.until((output) => output.includes("Name? "));
    expect(screen.output()).not.toContain("[open]");
    await using person = session(["attach", "lines:prompt"], { env });
    await person.until((output) => output.includes("Name? "));
    person.type("Bob\r");
    await person.until((output) => output.includes("hello Bob"));
    await json.until((output) => output.includes("hello Bob") && output.includes("Again? "));
    await pipe.until((output) => output.includes("| Name? Bob\n") && output.includes("Again? "));
    await screen.until((output) => output.includes(" Name? Bob\r\n") && output.includes("Again? "));
    const lines = json
      .output()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as OutputLine);
    const complete = lines.filter((its) => !its.open).map(({ message }) => message);
    expect(complete).toEqual(["begin", "Name? Bob", "hello Bob"]);
    const open = lines.filter((its) => its.open).map(({ message }) => message);
    expect(open.at(0)).toBe("Name? ");
    expect(open.at(-1)).toBe("Again? ");
    expect(screen.output()).toContain("\r\u001b[K");
  },
  patience,
);

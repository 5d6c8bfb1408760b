/** Processes that are there to end, before a server that goes on. */
import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace, server } from "../support/project-place.ts";

const serve = server.replace("bun", process.execPath);

const web = (more = "") => `
[services.web]
command = '''echo web >> order; ${serve}'''
depends_on = ["prepare"]
${more}
`;

const prepare = (command: string, more = 'type = "worker"\nrestart = "no"') => `
[services.prepare]
command = '''${command}'''
${more}
`;

const order = async (folder: string): Promise<string[]> => {
  const text = await readFile(join(folder, "order"), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
};

const isNew = (before: number | null) => (row: { ready: boolean; pid: number | null }) =>
  row.ready && row.pid !== before;

async function upOf(place: ProjectPlace, name: string, ...services: string[]) {
  const folder = await place.project(name, `[project]\nname = "${name}"\n${services.join("")}`);
  const last = async () => (await place.up(folder)).at(-1);
  return { folder, last };
}

describe("a worker that is not restarted, before a server", () => {
  test("the server starts when it has ended well, at once or late, and not at all where it fails late", async () => {
    await using place = await projectPlace();
    const commands = {
      quick: "echo prepared >> order",
      // Longer than a worker takes to be ready.
      slow: "sleep 1.6; echo prepared >> order",
      bad: "sleep 1.4; exit 3",
    };
    const started = Object.entries(commands).map(async ([name, command]) => {
      const { folder, last } = await upOf(place, name, prepare(command), web());
      return [name, JSON.stringify(await last()), await order(folder)];
    });
    expect(await Promise.all(started)).toEqual([
      ["quick", '"Ok"', ["prepared", "web"]],
      ["slow", '"Ok"', ["prepared", "web"]],
      [
        "bad",
        expect.stringContaining(
          "bad:web did not start: prepare, which it waits for, ended with exit code 3",
        ),
        [],
      ],
    ]);
  }, 60_000);

  test("with a sign that it is ready: every way to another process of the server leads to one", async () => {
    await using place = await projectPlace();
    const sign = 'type = "worker"\nrestart = "no"\nready_pattern = "prepared"';
    const { folder, last } = await upOf(
      place,
      "sign",
      prepare("echo prepared", sign),
      web('watch = ["*.txt"]\nenv = { FOO = "1" }'),
    );
    expect(await last()).toBe("Ok");
    await place.until("sign:prepare", ({ state }) => state === "exited");
    let { pid } = await place.row("sign:web");

    await place.write(join(folder, "a.txt"), "1");
    ({ pid } = await place.until("sign:web", isNew(pid)));
    expect((await place.lines({ Restart: { name: "sign:web" } })).at(-1)).toBe("Ok");
    ({ pid } = await place.until("sign:web", isNew(pid)));
    endNow(pid!);
    ({ pid } = await place.until("sign:web", isNew(pid)));
    const file = join(folder, "locald.toml");
    await place.write(file, (await readFile(file, "utf8")).replace('FOO = "1"', 'FOO = "2"'));
    ({ pid } = await place.until("sign:web", isNew(pid)));

    await place.send({ Stop: { name: "sign:web" } });
    expect(await last()).toBe("Ok");
    await place.until("sign:web", isNew(pid));
  }, 60_000);
});

test("a task is run once, over the end of the daemon, until its inputs change", async () => {
  await using place = await projectPlace();
  const { folder, last } = await upOf(
    place,
    "task",
    prepare("cat sql.txt >> order", 'type = "task"\ninputs = ["*.txt"]'),
    web(),
  );
  await place.write(join(folder, "sql.txt"), "first\n");
  expect(await last()).toBe("Ok");
  expect(await place.row("task:prepare")).toMatchObject({
    type: "task",
    state: "completed",
    ready: false,
    exit: { code: 0 },
  });
  expect(await last()).toBe("Ok");
  await place.send({ Stop: { name: "task" } });
  const state = JSON.stringify(await place.state());
  expect(state).toContain('"completed":[{"directory"');
  // Fingerprints alone.
  expect(state).not.toContain("first");
  await place.daemon.run("server", "stop");
  await place.daemon.start();
  expect(await last()).toBe("Ok");
  expect(await order(folder)).toEqual(["first", "web", "web"]);
  await place.write(join(folder, "sql.txt"), "second\n");
  expect(await last()).toBe("Ok");
  await eventually("it was run again", async () => (await order(folder)).at(-1) === "second");
}, 60_000);

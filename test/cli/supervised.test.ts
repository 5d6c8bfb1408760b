/** What verbs about services make of words, times, output and sizes, without a daemon. */
import { describe, expect, test } from "bun:test";
import { keysIn } from "../../src/cli/projects/keyboard.ts";
import { tame } from "../../src/cli/projects/logs.ts";
import { monitorScreen } from "../../src/cli/projects/monitor-screen.ts";
import { tellPending } from "../../src/cli/projects/pending-note.ts";
import { progress } from "../../src/cli/projects/progress.ts";
import { statusLines } from "../../src/cli/projects/status.ts";
import { stopCommand } from "../../src/cli/projects/up-background.ts";
import type { ProjectSpec } from "../../src/manifest/project.ts";
import type { Row } from "../../src/cli/projects/asking.ts";
import { rowsIn, rowsNamed, wordsFor } from "../../src/cli/projects/named.ts";
import { noColors, type Screen } from "../../src/cli/shared/world.ts";
import type { BootEvent } from "../../src/routes/project-report.ts";
import { FakeClock } from "../support/fake-clock.ts";

function row(id: string, overrides: Partial<Row> = {}): Row {
  const [project = "", service = ""] = id.split(":");
  return {
    name: id,
    pid: 4242,
    port: 20_333,
    status: "running",
    url: `http://${service}.${project}.localhost:9090`,
    domain: `${service}.${project}.localhost`,
    health_status: "Healthy",
    health_source: "None",
    path: `/srv/${project}`,
    workspace: null,
    constellation: null,
    warnings: [],
    started_at: "2026-01-01T00:00:00.000Z",
    command: "bun dev",
    project,
    service,
    route_name: `${service}.${project}`,
    type: "exec",
    state: "ready",
    why: null,
    message: `${project}:${service} is ready`,
    says: null,
    ready: true,
    ready_at: "2026-01-01T00:00:01.000Z",
    uptime: 61_000,
    restarts: 2,
    exit: null,
    cpu: 1.25,
    memory: 52_428_800,
    memory_limit: null,
    denied: 0,
    denials: [],
    lazy: false,
    next_run: null,
    instance: null,
    plugin: null,
    pending: null,
    ...overrides,
  };
}

describe("a word names", () => {
  const rows = [row("blog:db"), row("blog:web"), row("shop:api"), row("shop:db")];
  const world = { cwd: "/srv/shop", home: "/", env: {}, platform: process.platform };
  const elsewhere = { ...world, cwd: "/" };
  const named = async (...words: string[]) =>
    (await rowsNamed(words, { rows, world })).map((its) => its.name);

  test("a service of the project here, of any other, or a whole project", async () => {
    expect(await named("db")).toEqual(["shop:db"]);
    expect(await named("blog:db")).toEqual(["blog:db"]);
    expect(await named("web")).toEqual(["blog:web"]);
    expect(await named("blog")).toEqual(["blog:db", "blog:web"]);
    expect(rowsIn("/srv/shop", rows).map((its) => its.name)).toEqual(["shop:api", "shop:db"]);
    const all = await named("api", "shop:api", "blog");
    expect(all).toEqual(["shop:api", "blog:db", "blog:web"]);
  });

  test("nothing, and then it says what is near and what there is", async () => {
    await expect(named("dbb")).rejects.toThrow("no service is named dbb; did you mean db?");
    await expect(named("shop:ap")).rejects.toThrow("did you mean shop:api?");
    await expect(named("nosuch")).rejects.toThrow("shop:api");
    await expect(rowsNamed(["db"], { rows, world: elsewhere })).rejects.toThrow(
      "use blog:db or shop:db",
    );
    expect(() => rowsIn("/srv/x", rows)).toThrow("localhostess up");
  });

  test("all of a project are told the daemon as the project, so that it has the order", () => {
    expect(wordsFor(rows, { rows })).toEqual(["blog", "shop"]);
    expect(wordsFor(rows.slice(1), { rows })).toEqual(["blog:web", "shop"]);
    const one = [row("solo:web")];
    expect(wordsFor(one, { rows: one })).toEqual(["solo:web"]);
  });

  test("all instances of a name, which end together and restart one after the other", async () => {
    const url = "http://shop.localhost:9090";
    const instances = [1, 2].map((number) =>
      row(`shop:web-${number}`, { instance: { of: "web", number, route_name: "shop", url } }),
    );
    const all = [row("shop:db"), ...instances];
    for (const word of ["web", "http://shop.localhost:9090/cart"]) {
      expect(await rowsNamed([word], { rows: all, world: elsewhere })).toEqual(instances);
    }
    expect(wordsFor(instances, { rows: all })).toEqual(["shop:web"]);
    expect(wordsFor(instances, { rows: all, apart: true })).toEqual(["shop:web-1", "shop:web-2"]);
    expect(wordsFor(instances.slice(1), { rows: all })).toEqual(["shop:web-2"]);
    expect(wordsFor(all, { rows: all, apart: true })).toEqual(["shop"]);
    // A project of nothing else restarts one after the other as well.
    const apart = wordsFor(instances, { rows: instances, apart: true });
    expect(apart).toEqual(["shop:web-1", "shop:web-2"]);
    const lines = statusLines(instances, { colors: noColors, columns: () => undefined });
    expect(lines.slice(3)).toEqual([
      `  shop:web: ${url} goes to each ready one of 2 instances in turn (2)`,
    ]);
  });
});

test("output keeps its colours and tabs, and loses what would move the cursor", () => {
  const wild =
    "\x1b[2J\x1b[31mred\x1b[0m\tx\x1b[5;5H\x1b]0;title\x07\x1b7\x9b1A\x07\x1bc\x1b[?25l!";
  expect(tame(wild, true)).toBe("\x1b[31mred\x1b[0m\tx1A!\x1b[0m");
  expect(tame(wild, false)).toBe("red\tx1A!");
  expect(tame("plain", true)).toBe("plain");
});

test("keys come one by one, however many in one piece", () => {
  expect(keysIn("j\x1b[A\x1b[Bkq")).toEqual(["j", "up", "down", "k", "q"]);
  expect(keysIn("\x1b[1;5Cx")).toEqual(["x"]);
  expect(keysIn("\x03")).toEqual(["ctrl-c"]);
  expect(keysIn("\x1b")).toEqual(["escape"]);
});

test("a status has a row for each service, and below them what wants to be read", () => {
  const rows = [
    row("shop:api", { warnings: ["it listens on 3000"] }),
    row("shop:db", {
      state: "failed",
      pid: null,
      uptime: null,
      cpu: null,
      memory: null,
      url: null,
      why: "ended 10 times",
      message: "shop:db has failed: ended 10 times",
      exit: { code: null, signal: "SIGKILL", time: "2026-01-01T00:00:00.000Z", last_lines: [] },
    }),
  ];
  const lines = statusLines(rows, { colors: noColors, columns: () => undefined });
  expect(lines[0]).toMatch(
    /^NAME +STATE +PID +PORT +UPTIME +RESTARTS +EXIT +CPU +MEMORY +URL +FOLDER$/,
  );
  expect(lines[1]).toMatch(
    /^shop:api +ready +4242 +:20333 +61 s +2 +- +1\.3% +50 MiB +http:\/\/api\.shop\.localhost:9090 +\/srv\/shop$/,
  );
  expect(lines[2]).toMatch(/^shop:db +failed +- +:20333 +- +2 +SIGKILL +- +- +- +\/srv\/shop$/);
  expect(lines.slice(3)).toEqual([
    "! shop:api: it listens on 3000",
    "  shop:db has failed: ended 10 times",
  ]);
  // A warning that its sentence has already is not told twice.
  const gone = { state: "failed", message: "shop:db has failed; its folder is gone: /x" } as const;
  const told = row("shop:db", { ...gone, warnings: ["its folder is gone: /x", "another"] });
  const twice = statusLines([told], { colors: noColors, columns: () => undefined });
  expect(twice.slice(2)).toEqual([`  ${gone.message}`, "! shop:db: another"]);
  const builds = { state: "running", says: "builds: make" } as const;
  const working = row("shop:db", { ...builds, message: "shop:db is starting: builds: make" });
  const once = statusLines([working], { colors: noColors, columns: () => undefined });
  expect(once.slice(2)).toEqual(["  shop:db is starting: builds: make"]);
  for (const line of statusLines(rows, { colors: noColors, columns: () => 40 })) {
    expect(Bun.stringWidth(line)).toBeLessThanOrEqual(40);
  }
});

test("whoever leaves a start is told what ends it: the services that were named, from whatever folder", () => {
  const project = { name: "shop", directory: "/srv/my shop" } as ProjectSpec;
  expect(stopCommand({ project, services: [] })).toBe("localhostess stop '/srv/my shop/'");
  expect(stopCommand({ project, services: ["api", "db"] })).toBe(
    "localhostess stop shop:api shop:db",
  );
});

test("80 columns keep the address and the folder: processor, exit and restarts go first", () => {
  const rows = [row("shop:api"), row("shop:jobs", { url: null })];
  const at = (width: number) =>
    statusLines(rows, { colors: noColors, columns: () => width, home: "/srv" });
  expect(at(80)).toEqual([
    "NAME       STATE  PID   PORT    UPTIME  URL                             FOLDER",
    "shop:api   ready  4242  :20333  61 s    http://api.shop.localhost:9090  ~/shop",
    "shop:jobs  ready  4242  :20333  61 s    -                               ~/shop",
  ]);
  const gone = (width: number) => {
    const titles = at(width)[0]!.split(/ +/);
    const all = ["UPTIME", "RESTARTS", "EXIT", "CPU", "MEMORY"];
    return all.filter((title) => !titles.includes(title));
  };
  expect(gone(130)).toEqual([]);
  expect(gone(107)).toEqual(["CPU"]);
  expect(gone(101)).toEqual(["EXIT", "CPU"]);
  expect(gone(95)).toEqual(["RESTARTS", "EXIT", "CPU"]);
  // Half an address is of no use: it stands below its row.
  expect(at(40).slice(1, 3)).toEqual([
    "shop:api   ready       ~/shop",
    "  http://api.shop.localhost:9090",
  ]);
});

test("what stands below the table fits as well, and is indented where it goes on", () => {
  const rows = [row("shop:api", { says: "one two three four five six seven" })];
  const lines = statusLines(rows, { colors: noColors, columns: () => 30 });
  expect(lines.slice(-2)).toEqual(["  shop:api says: one two", "    three four five six seven"]);
});

test("a lazy service that sleeps is told to start with its first request", () => {
  const asleep = { lazy: true, state: "stopped" as const };
  const rows = [
    row("shop:api", { ...asleep, message: "shop:api is stopped; it starts with a request" }),
    row("shop:db", { state: "stopped", why: "disabled", message: "shop:db is stopped: disabled" }),
    row("shop:job", { state: "stopped" }),
    row("shop:web", { lazy: true }),
  ];
  const lines = statusLines(rows, { colors: noColors, columns: () => undefined });
  expect(lines.slice(5)).toEqual([
    "  shop:api is stopped; it starts with a request",
    "  shop:db is stopped: disabled",
  ]);
});

test("a warning about several services is printed once, with their names", () => {
  const rows = ["a", "b", "c", "d", "e"].map((name) =>
    row(`shop:${name}`, { warnings: [".env:3 odd", ...(name === "b" ? ["alone"] : [])] }),
  );
  const lines = statusLines(rows, { colors: noColors, columns: () => undefined });
  expect(lines.slice(6)).toEqual([
    "! shop:a, shop:b, shop:c and 2 more: .env:3 odd",
    "! shop:b: alone",
  ]);
});

test("what waits for up stands below the table, a line a project, with nothing of a command hidden", () => {
  const pending = {
    change: "changed",
    keys: ["command", "env.PATH"],
    before: "bun a.ts",
    after: "bun b.ts\u202e\x1b[2J",
    why: "git's HEAD is another than at the last up",
    held: false,
  } as const;
  const added = { ...pending, change: "added", keys: [], before: null, after: "x" } as const;
  const rows = [
    row("blog:web", { path: "/srv/a b", pending: { ...pending, before: null, keys: ["command"] } }),
    row("shop:api", { pending }),
    row("shop:db", { pending: added }),
    row("shop:web"),
  ];
  const lines = statusLines(rows, { colors: noColors, columns: () => undefined });
  expect(lines.slice(5)).toEqual([
    `! blog: git's HEAD is another than at the last up; waiting for localhostess up '/srv/a b': web (command: "bun b.ts\\u{202e}\\u001b[2J")`,
    `! shop: git's HEAD is another than at the last up; waiting for localhostess up /srv/shop: api (command: "bun a.ts" -> "bun b.ts\\u{202e}\\u001b[2J", env.PATH), db (new: "x")`,
  ]);
  let told = "";
  const err = {
    colors: noColors,
    columns: () => undefined,
    write(its: string) {
      told += its;
    },
  };
  tellPending(rows, { err: err as unknown as Screen });
  expect(told).toBe(`${lines.slice(5).join("\n")}\n`);
});

test("the monitor fills its screen and no more, at every size", () => {
  const rows = Array.from({ length: 30 }, (_, at) => row(`shop:s${at}`));
  const lines = Array.from(
    { length: 200 },
    (_, at) => `\x1b[32mline ${at}\x1b[0m 漢字 ${"x".repeat(200)}`,
  );
  for (const size of [
    { columns: 80, rows: 24 },
    { columns: 200, rows: 60 },
    { columns: 20, rows: 6 },
    { columns: 1, rows: 1 },
  ]) {
    for (const selected of [0, 17, 29]) {
      const picture = { rows, selected, lines, notice: "", others: "" };
      const screen = monitorScreen(picture, { size, colors: noColors, colored: true });
      expect(screen.length).toBe(size.rows);
      for (const line of screen) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(size.columns);
      if (size.columns < 80) continue;
      expect(screen.some((line) => line.startsWith(`› shop:s${selected} `))).toBe(true);
      expect(screen.join("\n")).toContain("line 199");
    }
  }
  const empty = { rows: [], selected: 0, lines: [], notice: "", others: "" };
  const size = { columns: 80, rows: 5 };
  const screen = monitorScreen(empty, { size, colors: noColors, colored: false });
  expect(screen.join("\n")).toContain("localhostess up");
});

test("the monitor lists services only, and shows the address of the one that is selected", () => {
  const instance = (number: number) => ({
    of: "web",
    number,
    of_all: 2,
    route_name: "shop",
    url: "http://shop.localhost",
  });
  const rows = [1, 2].map((number) => row(`shop:web-${number}`, { instance: instance(number) }));
  const picture = { rows, selected: 1, lines: ["listens"], notice: "", others: "" };
  const size = { columns: 80, rows: 12 };
  const screen = monitorScreen(picture, { size, colors: noColors, colored: false });
  expect(screen[2]).toStartWith("› shop:web-2 ");
  expect(screen.slice(3, 6)).toEqual(["", "shop:web-2", "listens"]);
});

describe("the progress of a start", () => {
  const events: BootEvent[] = [
    { type: "StepStarted", data: { id: "shop:db", description: "Starting service shop:db" } },
    { type: "StepStarted", data: { id: "shop:api", description: "Starting service shop:api" } },
    { type: "StepProgress", data: { id: "shop:api", message: "waits for db" } },
    { type: "StepFinished", data: { id: "shop:db", result: { Ok: null } } },
    { type: "StepFinished", data: { id: "shop:api", result: { Err: "ended with exit code 1" } } },
  ];

  function told(columns: number | undefined): string {
    let text = "";
    const screen: Screen = {
      write(its) {
        text += its;
        return true;
      },
      columns: () => columns,
      colors: noColors,
    };
    const clock = new FakeClock();
    const steps = progress({ screen, clock, nameOf: (id) => id.slice(5) });
    for (const event of events) {
      steps.hear(event);
      clock.advance(400);
    }
    steps.end();
    steps.end();
    expect(clock.waiting).toBe(0);
    return text;
  }

  test("tells whole what up takes over, on however narrow a terminal", () => {
    const command = "x".repeat(200);
    for (const columns of [undefined, 40]) {
      let text = "";
      const screen = {
        colors: noColors,
        columns: () => columns,
        rows: () => 24,
        write(its: string) {
          text += its;
        },
      } as unknown as Screen;
      const steps = progress({ screen, clock: new FakeClock() });
      steps.hear({ type: "StepStarted", data: { id: "config", description: "Loading" } });
      steps.hear({
        type: "StepProgress",
        data: { id: "config", message: `takes what is new: api (command: "${command}\x1b[2J")` },
      });
      steps.end();
      expect(text).toBe(`takes what is new: api (command: "${command}\\x1b[2J")\n`);
    }
  });

  test("is a line for each step where nobody watches", () => {
    expect(told(undefined).split("\n")).toEqual([
      "db: starting",
      "api: starting",
      "api: waits for db",
      "db: ready in 1.2 s",
      "api: not ready after 1.2 s: ended with exit code 1",
      "",
    ]);
  });

  test("says again what goes on for long, ever more rarely, and nothing of what is done", () => {
    let text = "";
    const screen = {
      colors: noColors,
      columns: () => undefined,
      write(its: string) {
        text += its;
      },
    } as unknown as Screen;
    const clock = new FakeClock();
    const steps = progress({ screen, clock });
    const start = (id: string) =>
      steps.hear({ type: "StepStarted", data: { id, description: "Starting" } });
    start("db");
    start("web");
    clock.advance(3000);
    steps.hear({ type: "StepProgress", data: { id: "web", message: "waits for its port 20123" } });
    steps.hear({ type: "StepFinished", data: { id: "db", result: { Ok: null } } });
    clock.advance(3_597_000);
    const lines = text.split("\n");
    expect(lines.slice(0, 8)).toEqual([
      "db: starting",
      "web: starting",
      "web: waits for its port 20123",
      "db: ready in 3.0 s",
      "web: waits for its port 20123 (10 s)",
      "web: waits for its port 20123 (30 s)",
      "web: waits for its port 20123 (60 s)",
      "web: waits for its port 20123 (2 m)",
    ]);
    expect(lines.at(-2)).toBe("web: waits for its port 20123 (60 m)");
    expect(lines).toHaveLength(4 + 2 + 60 + 1);
    steps.end();
    expect(clock.waiting).toBe(0);
  });

  test("is a bar on a terminal while something is fetched, and few lines where nobody watches", () => {
    const shown = (columns: number | undefined): string => {
      let text = "";
      const screen = {
        colors: noColors,
        columns: () => columns,
        write(its: string) {
          text += its;
        },
      } as unknown as Screen;
      const clock = new FakeClock();
      const steps = progress({ screen, clock });
      steps.hear({ type: "StepStarted", data: { id: "db", description: "Starting" } });
      steps.hear({ type: "StepProgress", data: { id: "db", message: "downloading X 1.2" } });
      for (let percent = 0; percent <= 100; percent++) {
        const message = `downloading X 1.2: ${percent} % of 22 MiB`;
        steps.hear({ type: "StepProgress", data: { id: "db", message } });
        clock.advance(250);
      }
      steps.hear({ type: "StepProgress", data: { id: "db", message: "unpacking X 1.2" } });
      steps.end();
      return text;
    };
    const drawn = shown(80);
    for (const bar of ["████████░░░░░░░░ 50 %", "████████████████ 100 %"]) {
      expect(drawn.includes(`db  downloading X 1.2: ${bar} of 22 MiB  `)).toBe(true);
    }
    expect(shown(undefined).split("\n")).toEqual([
      "db: starting",
      "db: downloading X 1.2",
      "db: downloading X 1.2: 39 % of 22 MiB (10 s)",
      "db: unpacking X 1.2",
      "",
    ]);
  });

  test("says of a task that it starts before it runs, and that once", () => {
    let text = "";
    const write = (its: string) => {
      text += its;
    };
    const screen = { colors: noColors, columns: () => undefined, write } as unknown as Screen;
    const steps = progress({ screen, clock: new FakeClock() });
    const id = "migrate";
    const hear = (message: string) => steps.hear({ type: "StepProgress", data: { id, message } });
    steps.hear({ type: "StepStarted", data: { id, description: "Starting task migrate" } });
    for (const message of ["waits for db", "running"]) hear(message);
    steps.hear({ type: "StepFinished", data: { id, result: { Ok: null } } });
    steps.end();
    expect(text.split("\n")).toEqual([
      "migrate: starting",
      "migrate: waits for db",
      "migrate: running",
      "migrate: completed in 0.0 s",
      "",
    ]);
  });

  test("is drawn over itself on a terminal, which is left with the outcome and its cursor", () => {
    const text = told(80);
    expect(text).toContain("\x1b[?25l");
    expect(text.endsWith("\x1b[?25h")).toBe(true);
    expect(text).toContain("✓ db  ready in 1.2 s\n");
    expect(text).toContain("✗ api  not ready after 1.2 s: ended with exit code 1\n");
    expect(text).toContain("api  waits for db  ");
  });
});

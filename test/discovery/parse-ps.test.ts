import { describe, expect, test } from "bun:test";
import { nameInText, parsePs } from "../../src/discovery/parse-ps.ts";

const recorded = await Bun.file(`${import.meta.dir}/fixtures/macos-ps.txt`).text();

describe("macOS, from text in the form that its ps prints", () => {
  const found = new Map(parsePs(recorded, "macos").map((process) => [process.pid, process]));

  test("every process is read", () => {
    expect(found.size).toBe(10);
    expect(found.get(1)).toEqual({
      unreadable: true,
      pid: 1,
      parent: 0,
      group: 1,
      uid: 0,
      startedAt: Date.UTC(2026, 10, 9, 8, 12, 44),
      command: "/sbin/launchd",
      name: undefined,
    });
    expect(found.get(2210)).toEqual({
      pid: 2210,
      parent: 2209,
      group: 2209,
      uid: 501,
      startedAt: Date.UTC(2026, 10, 21, 9, 15, 2),
      command: "node /Users/ada/My Shop/web/node_modules/.bin/vite --host localhost",
      name: "web",
      variable: "NAME",
    });
  });

  test("a NAME with spaces goes on to the next variable", () => {
    expect(found.get(2301)).toMatchObject({
      command: "/opt/homebrew/bin/node --inspect server.js",
      name: "My API",
    });
  });

  test("the environment's NAME beats an argument's, and nothing behind the command is shown", () => {
    expect(found.get(2440)).toMatchObject({ command: "./serve", name: "environment" });
  });
});

describe("Linux", () => {
  const line = (short: string, rest: string) =>
    `   42 ${short.slice(0, 160).padEnd(160)}     7    42  1000 Sat Nov  7 01:02:03 2026 ${rest}`;
  const parse = (short: string, args: string, environment: string) => {
    const more = environment === "" ? "" : ` ${environment}`;
    const [process] = parsePs(line(short + more, args + more), "linux");
    return { command: process?.command, name: process?.name };
  };
  const home = "HOME=/root SHELL=/bin/bash";

  test("reads the columns", () => {
    expect(parsePs(`${line("node A=b", "node x A=b")}\n`, "linux")).toEqual([
      {
        pid: 42,
        parent: 7,
        group: 42,
        uid: 1000,
        startedAt: Date.UTC(2026, 10, 7, 1, 2, 3),
        command: "node x",
        name: undefined,
      },
    ]);
  });

  test.each([
    ["node", "node server.js", `NAME=api ${home}`, "api"],
    ["node", "node server.js", `${home} NAME=api`, "api"],
    ["node", "node server.js", "NAME=api", "api"],
    ["node", "node NAME=no A=b", `${home} NAME=api`, "api"],
    ["node", "node NAME=no A=b", home, undefined],
    ["node", "node NAME=no", "", undefined],
    ["node", "node", `NAME=my app ${home}`, "my app"],
    ["node", "node", `NAME= ${home}`, ""],
    ["next-server (v1", "next-server (v14.1)", `A=1 ${home} NAME=web`, "web"],
    ["my srv", "my srv", "A=b NAME=x", "x"],
    ["tmux: server", "tmux new -s A=b", `A=b ${home} NAME=x`, "x"],
    ["node", "node", `LONG=${"x".repeat(500)} NAME=api`, "api"],
    ["node", "node 日本", "NAME=日本 A=b", "日本"],
    ["python3", "[python3] <defunct>", "", undefined],
  ])("of %p, %p with %p the name is %p", (short, args, environment, name) => {
    expect(parse(short, args, environment)).toEqual({ command: args, name });
  });

  test("text of another kind is no process", () => {
    expect(parsePs("", "linux")).toEqual([]);
    expect(parsePs("error: unknown option\n", "linux")).toEqual([]);
    expect(parsePs("ps: illegal argument: comm:160\n", "macos")).toEqual([]);
  });
});

describe("among variables joined by spaces", () => {
  test.each([
    ["npm_lifecycle_script=A=1 NAME=a x & NAME=b y NAME=c", "c"],
    ["NAME=real npm_lifecycle_script=A=1 NAME=script vite HOME=/", "real"],
    ["npm_lifecycle_script=A=1 vite NAME=only HOME=/", "only"],
    ["MYNAME=no NAMES=no X=NAME=no", undefined],
    ["A=NAME NAME=yes B=1", "yes"],
    ["NAME=db LOCALHOSTESS_NAME=api.shop HOME=/", "api.shop"],
    ["LOCALHOSTESS_NAME=api.shop NAME=db", "api.shop"],
  ])("in %p NAME is %p", (text, name) => {
    expect(nameInText(text).name).toBe(name);
  });
});

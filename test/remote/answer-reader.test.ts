import { describe, expect, test } from "bun:test";
import { type Answer, answerReader } from "../../src/remote/answer-reader.ts";
import type { Found } from "../../src/remote/found.ts";

const nonce = "0123456789abcdef";

function answersTo(lines: readonly string[], remote = "box"): Answer[] {
  const reader = answerReader({ nonce, remote });
  return lines.map((line) => reader.line(line)).filter(({ kind }) => kind !== "more");
}

/** The services of a look with these rows; a row is what follows `at`. */
function found(rows: readonly string[], remote = "box"): readonly Found[] {
  const lines = ["begin 1", "clock 1700000000 100", ...rows.map((row) => `at ${row}`), "end 1"];
  const last = answersTo(
    lines.map((line) => `${nonce} ${line}`),
    remote,
  ).at(-1);
  return last?.kind === "found" ? last.found : [];
}

type RowParts = {
  address?: string;
  port?: string;
  pid?: number;
  parent?: number;
  group?: number;
  ticks?: number;
  own?: string;
  name?: string;
  wanted?: string;
  command?: string;
};

function row({
  address = "0100007F",
  port = "0BB8",
  pid = 10,
  parent = 1,
  group = 10,
  ticks = 100,
  own = "",
  name = "api",
  wanted = "",
  command = "bun dev",
}: RowParts = {}): string {
  const numbers = [address, port, pid, parent, group, ticks].join(" ");
  return [numbers, own, name, wanted, "/srv/api", command].join("\t");
}

const placesOf = (its: readonly Found[]) =>
  its.map(({ name, address, port }) => `${name} ${address} ${port}`);

describe("the lines of the script", () => {
  test("are a sign of life, the services by name, and an end", () => {
    const lines = [`${nonce} begin 1`, `${nonce} clock 1700000000 100`, `${nonce} at ${row()}`];
    expect(answersTo([...lines, `${nonce} end 1`])).toEqual([
      { kind: "begun" },
      {
        kind: "found",
        number: 1,
        by: "script",
        found: [
          {
            name: "api",
            address: "127.0.0.1",
            port: 3000,
            command: "bun dev",
            cwd: "/srv/api",
            startedAt: 1_700_000_001_000,
            warnings: [],
          },
        ],
      },
    ]);
    expect(answersTo([`${nonce} begin 2`, `${nonce} same 2`])).toEqual([
      { kind: "begun" },
      { kind: "same", number: 2 },
    ]);
  });

  test("are told apart from what a shell's start files print", () => {
    expect(answersTo(["Welcome to box!", "begin 1", "", "at x", `${nonce}begin 1`])).toEqual([]);
  });

  test("a machine that can tell nothing is not asked again", () => {
    expect(answersTo([`${nonce} none 1`])).toMatchObject([{ kind: "useless" }]);
  });

  const addresses: [address: string, port: string, place: string][] = [
    ["0100007F", "0BB8", "127.0.0.1 3000"],
    ["00000000", "0BB8", "127.0.0.1 3000"],
    ["0200007F", "1F90", "127.0.0.2 8080"],
    ["0500A8C0", "0050", "192.168.0.5 80"],
    ["00000000000000000000000001000000", "0BB8", "::1 3000"],
    ["00000000000000000000000000000000", "0BB8", "::1 3000"],
    ["0000000000000000FFFF00000100007F", "0BB8", "127.0.0.1 3000"],
    // macOS, by lsof.
    ["*", "3000", "127.0.0.1 3000"],
    ["127.0.0.1", "3000", "127.0.0.1 3000"],
    ["[::1]", "3000", "::1 3000"],
  ];
  for (const [address, port, place] of addresses) {
    test(`${address} ${port} is reached at ${place}`, () => {
      expect(placesOf(found([row({ address, port })]))).toEqual([`api ${place}`]);
    });
  }

  const strange: [title: string, row: string][] = [
    ["no address", row({ address: "-oProxyCommand=x" })],
    ["an address with more behind it", row({ address: "127.0.0.1:80:x" })],
    ["no port", row({ port: "0000" })],
    ["a port too large", row({ address: "127.0.0.1", port: "65536" })],
    ["an empty name", row({ name: "" })],
    ["a name with a blank", row({ name: "a b" })],
    ["a name with a path", row({ name: "../../etc" })],
    ["a name that is too long", row({ name: `${"a".repeat(64)}` })],
    ["many labels", row({ name: "a.".repeat(150) + "a" })],
    ["localhost", row({ name: "localhost" })],
    ["a localhostess", row({ command: "bun /usr/lib/localhostess/main.js server start --port 0" })],
    ["nothing", ""],
    ["half a row", "0100007F"],
  ];
  for (const [title, text] of strange) {
    test(`a row with ${title} is left out, and the next one is read`, () => {
      expect(placesOf(found([text, row({ name: "web", port: "0BB9" })]))).toEqual([
        "web 127.0.0.1 3001",
      ]);
    });
  }

  test("LOCALHOSTESS_NAME comes before NAME, in lower case and without .localhost", () => {
    expect(placesOf(found([row({ own: "Shop.localhost", name: "api" })]))).toEqual([
      "shop 127.0.0.1 3000",
    ]);
  });

  test("of several ports of one family, the one in PORT is the name's, else no debugger's", () => {
    const both = [row({ port: "240D" }), row({ port: "1388", wanted: "" })];
    expect(placesOf(found(both))).toEqual(["api 127.0.0.1 5000"]);
    const asked = [row({ port: "0BB8" }), row({ port: "1388", wanted: "5000" })];
    expect(placesOf(found(asked))).toEqual(["api 127.0.0.1 5000"]);
  });

  test("of unrelated processes with one name, the newest has it, and says so", () => {
    const rows = [
      row({ pid: 10, group: 10, ticks: 100, port: "0BB8" }),
      row({ pid: 20, group: 20, ticks: 900, port: "0BB9" }),
    ];
    expect(found(rows)).toMatchObject([
      { name: "api", port: 3001, warnings: ["NAME=api is also that of pid 10 there"] },
    ]);
    const family = [row({ pid: 10 }), row({ pid: 20, parent: 10, group: 20, port: "0BB9" })];
    expect(found(family)).toMatchObject([{ name: "api", port: 3000, warnings: [] }]);
  });

  test("a thousand names are cut to two hundred", () => {
    const rows = Array.from({ length: 1_000 }, (_, index) =>
      row({ name: `api${index}`, pid: index + 10, group: index + 10 }),
    );
    expect(found(rows)).toHaveLength(200);
  });

  test("a command is shown without control characters, and cut", () => {
    const [its] = found([row({ command: `\x1b[2J${"x".repeat(10_000)}` })]);
    expect(its!.command).toStartWith("\\x1b[2J");
    expect(its!.command.length).toBeLessThan(600);
  });
});

describe("the list of a localhostess there", () => {
  const list = (rows: unknown): readonly Found[] | undefined => {
    const json = typeof rows === "string" ? rows : JSON.stringify(rows);
    const lines = ["begin 1", `json 1 ${json}`, "end 1"];
    const last = answersTo(lines.map((line) => `${nonce} ${line}`)).at(-1);
    return last?.kind === "found" && last.by === "localhostess" ? last.found : undefined;
  };
  const server = {
    name: "api.shop",
    url: "http://api.shop.localhost:9090",
    address: "::1",
    port: 3000,
    pid: 7,
    source: "NAME",
    command: "bun dev",
    cwd: "/srv",
    started_at: "2026-01-31T09:00:00.000Z",
    warnings: [],
  };

  test("has names, where they lead, and what runs", () => {
    expect(list([server])).toEqual([
      {
        name: "api.shop",
        address: "::1",
        port: 3000,
        command: "bun dev",
        cwd: "/srv",
        startedAt: Date.parse("2026-01-31T09:00:00.000Z"),
        warnings: [],
      },
    ]);
  });

  test("leaves out what has no address there, and what is on a third machine", () => {
    expect(
      list([
        { ...server, url: null },
        { ...server, source: "remote" },
      ]),
    ).toEqual([]);
  });

  test("leads to a unix socket there, if ssh takes its path as it is", () => {
    const socket = (address: string) => list([{ ...server, address, port: null }])!.length;
    expect(socket("/run/app.sock")).toBe(1);
    for (const path of ["/run/a:b", "/run/%h", "/run/${HOME}", "/run/a b", `/${"x".repeat(200)}`]) {
      expect([path, socket(path)]).toEqual([path, 0]);
    }
  });

  test("what is none is not believed: the script's own rows count", () => {
    for (const text of ["", "{", "null", "7", '{"error":{}}', "usage: localhostess"]) {
      expect([text, list(text)]).toEqual([text, undefined]);
    }
    const odd = [null, 7, "x", [], {}, { name: 7 }, { ...server, port: "3000" }];
    expect(list([...odd, server])).toHaveLength(1);
    expect(
      list([
        { ...server, port: 70_000 },
        { ...server, address: "a b" },
      ]),
    ).toEqual([]);
  });
});

import { expect, test } from "bun:test";
import picocolors from "picocolors";
import {
  namelessLines,
  serviceLines,
  type ServiceOptions,
  shownFolder,
  warningLines,
} from "../../src/cli/shared/rows.ts";
import { shownLines } from "../../src/cli/shared/shown-lines.ts";
import { noColors } from "../../src/cli/shared/world.ts";
import type { Service } from "../../src/routes/service.ts";
import type { Unusable } from "../../src/routes/unusable.ts";

function service(its: Partial<Service> & { port?: number; pid?: number } = {}): Service {
  const { port = 3000, pid = 4242, ...rest } = its;
  return {
    name: "api",
    routable: true,
    endpoint: { address: "127.0.0.1", port, dial: ["127.0.0.1"] },
    process: { pid, startedAt: 0 },
    pids: [pid],
    ports: [port],
    command: "bun dev",
    cwd: "/srv",
    source: "NAME",
    warnings: [],
    ...rest,
  };
}

const plain: ServiceOptions = {
  port: 9090,
  columns: undefined,
  colors: noColors,
};
const headed: ServiceOptions = { ...plain, header: true };
const colored: ServiceOptions = { ...plain, colors: picocolors.createColors(true) };

test("a row is name, URL, port, pid, folder and command, below a header", () => {
  const its = service({ command: "/usr/bin/bun /srv/dev.ts" });
  expect(serviceLines([its], headed)).toEqual([
    "NAME  URL                        PORT   PID   FOLDER  COMMAND",
    "api   http://api.localhost:9090  :3000  4242  /srv    bun dev.ts",
  ]);
  // In a log each line stands alone.
  expect(serviceLines([its], plain)).toEqual([
    "api  http://api.localhost:9090  :3000  pid 4242  /srv  bun dev.ts",
  ]);
});

test("columns stand below each other, also where characters are two columns wide", () => {
  const services = [service(), service({ name: "名前", routable: false, port: 80, pid: 7 })];
  expect(serviceLines(services, headed)).toEqual([
    "NAME  URL                        PORT   PID   FOLDER  COMMAND",
    "api   http://api.localhost:9090  :3000  4242  /srv    bun dev",
    "名前  (no address)               :80    7     /srv    bun dev",
  ]);
});

test("in a pipe, a name that is much longer moves its own row only", () => {
  const [short, long] = serviceLines([service(), service({ name: "x".repeat(60) })], plain);
  expect(short).toBe("api  http://api.localhost:9090  :3000  pid 4242  /srv  bun dev");
  expect(long).toStartWith(`${"x".repeat(60)}  http://`);
});

test("more ports and processes are counted, and named where more words are wanted", () => {
  const many = service({ ports: [3000, 9229, 24_678], pids: [4242, 4243] });
  expect(serviceLines([many], plain)[0]).toContain("  :3000 +2  pid 4242 +1  ");
  expect(serviceLines([many], { ...plain, verbose: true })[0]).toContain(
    "  :3000 :9229 :24678  pid 4242 4243  ",
  );
});

const longTexts = ["x".repeat(300), "宽".repeat(150), "👩‍👩‍👧".repeat(40), "bun dev"];
for (const columns of [1, 2, 10, 40, 57, 80, 200]) {
  for (const text of longTexts) {
    test(`a table with ${text.slice(0, 7)}… fits ${columns} columns, coloured or not`, () => {
      const services = [
        service({ command: text }),
        service({ cwd: `/${text}` }),
        service({ name: text, routable: false }),
      ];
      for (const options of [plain, colored, headed]) {
        for (const line of serviceLines(services, { ...options, columns })) {
          // An address is never cut: half of one is of no use.
          if (line.includes("http://")) expect(line).toContain("http://api.localhost:9090");
          else expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
        }
      }
    });
  }
}

test("80 columns have the URL and the folder, whatever else they have", () => {
  const services = [
    service({ cwd: "/home/ann/clients/northwind/storefront", command: "node server.js" }),
    service({ name: "checkout.northwind", cwd: "/home/ann/x", ports: [3000, 3001, 3002] }),
  ];
  const lines = serviceLines(services, { ...headed, columns: 80, home: "/home/ann" });
  for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
  expect(lines).toEqual([
    "NAME                URL                                       FOLDER",
    "api                 http://api.localhost:9090                 …/storefront",
    "checkout.northwind  http://checkout.northwind.localhost:9090  ~/x",
  ]);
});

test("what is known the least of by its number goes first: the pid, then the port, then the command", () => {
  const headerAt = (columns: number) =>
    serviceLines([service({ command: "bun dev --watch" })], { ...headed, columns })[0]!.split(/ +/);
  expect(headerAt(80)).toEqual(["NAME", "URL", "PORT", "PID", "FOLDER", "COMMAND"]);
  expect(headerAt(62)).toEqual(["NAME", "URL", "PORT", "FOLDER", "COMMAND"]);
  expect(headerAt(55)).toEqual(["NAME", "URL", "FOLDER", "COMMAND"]);
  expect(headerAt(45)).toEqual(["NAME", "URL", "FOLDER"]);
});

test("an address that finds no room in its row stands below it, whole", () => {
  const name = "a".repeat(63);
  const [row, url, other, ...rest] = serviceLines([service({ name }), service()], {
    ...plain,
    columns: 80,
  });
  expect(row).toMatch(/^a{23}… {2,}:3000/);
  expect(url).toBe(`  http://${name}.localhost:9090`);
  expect(other).toContain("http://api.localhost:9090");
  expect(rest).toEqual([]);
});

test("what was cut says so, and what was not does not", () => {
  const long = service({ command: "x".repeat(300) });
  expect(serviceLines([long], { ...plain, columns: 80 })[0]).toEndWith("x…");
  expect(serviceLines([long], plain)[0]).toEndWith("x".repeat(300));
  expect(serviceLines([service()], { ...plain, columns: 80 })[0]).toEndWith("bun dev");
});

test("a long folder keeps its end, from a folder's name on where one is near, however wide its characters", () => {
  const at = (cwd: string) => serviceLines([service({ cwd })], { ...plain, columns: 45 })[0];
  expect(at(`/${"宽".repeat(100)}`)).toEndWith(`  …${"宽".repeat(6)}`);
  expect(at("/srv/customers/northwind/app")).toEndWith("  …orthwind/app");
  expect(at("/srv/customers/north/storefront")).toEndWith("  …/storefront");
});

test("a folder is short below the person's own, and nowhere else", () => {
  expect(shownFolder("/home/ann/api", "/home/ann")).toBe("~/api");
  expect(shownFolder("/home/ann", "/home/ann")).toBe("~");
  expect(shownFolder("/home/anna", "/home/ann")).toBe("/home/anna");
  expect(shownFolder("/srv", "/")).toBe("/srv");
  expect(shownFolder(undefined, "/home/ann")).toBe("-");
});

function nameless(its: Partial<Unusable> = {}): Unusable {
  return {
    pid: 17,
    startedAt: 0,
    port: 3001,
    ports: [3001],
    command: "bun server.ts",
    cwd: "/srv/api",
    typed: "bun server.ts",
    suggested: "api",
    fault: { kind: "no name" },
    ...its,
  };
}

test("servers without a name have a row each, with the command that names them", () => {
  const all = [nameless(), nameless({ pid: 18, port: 80, ports: [80, 443], cwd: undefined })];
  expect(namelessLines(all, plain)).toEqual([
    "2 servers without a name:",
    "PORT    PID  FOLDER    NAME IT WITH",
    ":3001   17   /srv/api  NAME=api bun server.ts",
    ":80 +1  18   -         NAME=api bun server.ts",
  ]);
  expect(namelessLines([], plain)).toEqual([]);
});

test("a command that finds no room in its row stands below it, whole, as a shell reads it", () => {
  const long = `bun server.ts --config ${"x".repeat(40)} --watch`;
  const lines = namelessLines([nameless({ typed: long }), nameless()], { ...plain, columns: 80 });
  expect(lines.slice(2)).toEqual([
    ":3001  17   /srv/api",
    `  NAME=api bun server.ts --config ${"x".repeat(40)} \\`,
    "    --watch",
    ":3001  17   /srv/api  NAME=api bun server.ts",
  ]);
});

test("below them stands why a name that a person gave is not seen; a bad one is listed with the services", () => {
  const lost = nameless({ fault: { kind: "overwritten" }, typed: undefined });
  const bad = nameless({ fault: { kind: "bad name", name: "A_", wrong: "x", near: undefined } });
  const lines = namelessLines([lost, bad], { ...plain, columns: 80 });
  expect(lines.slice(0, 3)).toEqual([
    "1 server without a name:",
    "PORT   PID  FOLDER    NAME IT WITH",
    ":3001  17   /srv/api  localhostess name api 3001",
  ]);
  expect(lines.slice(3).join("")).toMatch(/has written its +title over its environment/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});

test("colours change nothing but the colour", () => {
  const services = [service(), service({ name: "b", routable: false })];
  const lines = serviceLines(services, colored);
  expect(lines.join()).toContain("\x1b[");
  expect(lines.map((line) => Bun.stripANSI(line))).toEqual(serviceLines(services, plain));
});

test("warnings name their service and process, and break between words", () => {
  const services = [service(), service({ warnings: ["one two three four five six seven"] })];
  expect(warningLines(services, plain)).toEqual([
    "! api (pid 4242): one two three four five six seven",
  ]);
  const lines = warningLines(services, { ...plain, columns: 30 });
  expect(lines).toEqual(["! api (pid 4242): one two", "  three four five six seven"]);
});

test("warnings fit too, whatever they are made of", () => {
  for (const text of ["x".repeat(200), "宽".repeat(100), "a 宽 ".repeat(50)]) {
    for (const columns of [10, 29, 30, 80]) {
      const lines = warningLines([service({ warnings: [text] })], { ...plain, columns });
      for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  }
});

test("where a name is from stands in a column of its own, if any is not the server's own", () => {
  const own = service({ name: "api" });
  const found = service({ name: "db", source: "container", port: 5432 });
  expect(serviceLines([own], headed)[0]).not.toContain("FROM");
  expect(serviceLines([own, found], { ...headed, columns: 80 })).toEqual([
    "NAME  URL                        FROM       PORT   PID   FOLDER  COMMAND",
    "api   http://api.localhost:9090             :3000  4242  /srv    bun dev",
    "db    http://db.localhost:9090   container  :5432  4242  /srv    bun dev",
  ]);
});

test("a name for a unix socket or another host has no process, and its place in the place of a command", () => {
  const nobody = { process: undefined, pids: [], cwd: undefined, source: "given" as const };
  const socket = service({
    ...nobody,
    name: "sock",
    endpoint: { address: "/run/a.sock", port: 0, dial: ["/run/a.sock"] },
    ports: [],
    command: "unix:/run/a.sock",
    warnings: ["it sleeps"],
  });
  const host = service({
    ...nobody,
    name: "far",
    endpoint: { address: "box.lan", port: 80, dial: ["box.lan"] },
    ports: [80],
    command: "box.lan:80",
  });
  expect(serviceLines([socket, host], headed)).toEqual([
    "NAME  URL                         FROM   PORT    PID  FOLDER  COMMAND",
    "sock  http://sock.localhost:9090  given  socket  -    -       unix:/run/a.sock",
    "far   http://far.localhost:9090   given  :80     -    -       box.lan:80",
  ]);
  expect(warningLines([socket], plain)).toEqual(["! sock (/run/a.sock): it sleeps"]);
});

test("servers of worktrees stand below those of the main checkout, and fit 80 columns", () => {
  const of = (label?: string) => ({ repository: "/srv/shop/.git", root: "/srv/shop", label });
  const services = [
    service({ checkout: of(), origin: { name: "api", shown: false } }),
    service({ name: "docs" }),
    service({
      name: "fix-nav.api",
      checkout: of("fix-nav"),
      origin: { name: "api", shown: true },
      pid: 7,
    }),
  ];
  expect(serviceLines(services, { ...headed, columns: 80 })).toEqual([
    "NAME           URL                                PORT   PID   FOLDER  COMMAND",
    "api            http://api.localhost:9090          :3000  4242  /srv    bun dev",
    "  fix-nav.api  http://fix-nav.api.localhost:9090  :3000  7     /srv    bun dev",
    "docs           http://docs.localhost:9090         :3000  4242  /srv    bun dev",
  ]);
  expect(shownLines(services, plain)).toEqual([
    "* api.localhost shows fix-nav in all browsers; localhostess use -- ends it",
  ]);
});

test("a name that is to show a worktree without a server is told of, and one that shows its own is not", () => {
  const origin = { name: "api", shown: false };
  expect(shownLines([service({ origin })], plain)).toEqual([
    "* api.localhost is to show a worktree in which no such server runs; localhostess use -- ends it",
  ]);
  expect(shownLines([service({ origin: { name: "api", shown: true } }), service()], plain)).toEqual(
    [],
  );
});

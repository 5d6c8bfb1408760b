import { expect, test } from "bun:test";
import picocolors from "picocolors";
import { type RowOptions, serviceLines, warningLines } from "../../src/cli/shared/rows.ts";
import { noColors } from "../../src/cli/shared/world.ts";
import type { Service } from "../../src/routes/service.ts";

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

const plain: RowOptions = {
  port: 9090,
  columns: undefined,
  colors: noColors,
};
const colored: RowOptions = { ...plain, colors: picocolors.createColors(true) };

test("a row is name, URL, port, pid and command", () => {
  expect(serviceLines([service()], plain)).toEqual([
    "api  http://api.localhost:9090  :3000  pid 4242  bun dev",
  ]);
});

test("columns stand below each other, also where characters are two columns wide", () => {
  const lines = serviceLines(
    [service(), service({ name: "名前", routable: false, port: 80, pid: 7 })],
    plain,
  );
  expect(lines).toEqual([
    "api   http://api.localhost:9090  :3000  pid 4242  bun dev",
    "名前  (no address)               :80    pid 7     bun dev",
  ]);
});

test("a name that is much longer moves its own row only", () => {
  const [short, long] = serviceLines([service(), service({ name: "x".repeat(60) })], plain);
  expect(short).toBe("api  http://api.localhost:9090  :3000  pid 4242  bun dev");
  expect(long).toStartWith(`${"x".repeat(60)}  http://`);
});

test("more ports and processes are counted, and named where more words are wanted", () => {
  const many = service({ ports: [3000, 9229, 24_678], pids: [4242, 4243] });
  expect(serviceLines([many], plain)[0]).toContain("  :3000 +2  pid 4242 +1  ");
  expect(serviceLines([many], { ...plain, verbose: true })[0]).toContain(
    "  :3000 :9229 :24678  pid 4242 4243  ",
  );
});

for (const columns of [1, 2, 10, 40, 57, 80]) {
  for (const command of ["x".repeat(300), "宽".repeat(150), "👩‍👩‍👧".repeat(40), "bun dev"]) {
    test(`${command.slice(0, 7)}… fits ${columns} columns, coloured or not`, () => {
      for (const options of [plain, colored]) {
        for (const line of serviceLines([service({ command })], { ...options, columns })) {
          expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
          // Wide characters may leave one column free.
          if (command !== "bun dev")
            expect(Bun.stringWidth(line)).toBeGreaterThanOrEqual(columns - 2);
        }
      }
    });
  }
}

test("what was cut says so, and what was not does not", () => {
  const long = service({ command: "x".repeat(300) });
  expect(serviceLines([long], { ...plain, columns: 80 })[0]).toEndWith("x…");
  expect(serviceLines([long], plain)[0]).toEndWith("x".repeat(300));
  expect(serviceLines([service()], { ...plain, columns: 80 })[0]).toEndWith("bun dev");
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

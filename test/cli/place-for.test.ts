/** A place as typed, and what runs -> the place that is meant, or the question that a person has to answer. */
import { expect, test } from "bun:test";
import { placeFor } from "../../src/cli/servers/place-for.ts";
import { Failure } from "../../src/cli/shared/failure.ts";
import { UsageError } from "../../src/cli/shared/settings.ts";
import type { ReadPlace } from "../../src/cli/servers/read-place.ts";
import { scanOf } from "../discovery/scan-of.ts";

const scan = scanOf(
  [
    { pid: 900, listens: ["127.0.0.1 9090", "127.0.0.1 41000"], command: "localhostess" },
    { pid: 3000, startedAt: 7000, listens: ["127.0.0.1 8000"] },
    { pid: 4000 },
    { pid: 4001, parent: 4000, listens: ["127.0.0.1 8001"] },
    { pid: 5001, listens: ["127.0.0.1 6000"] },
    { pid: 6000, listens: ["127.0.0.1 6001"] },
    { pid: 7000 },
    { pid: 7001, parent: 7000 },
    { pid: 7002, parent: 7001, listens: ["127.0.0.1 8002"] },
    { pid: 7003, parent: 7002, listens: ["127.0.0.1 8003"] },
    { pid: 7004, parent: 7000, listens: ["127.0.0.1 8004"] },
  ],
  [{ address: "127.0.0.1", port: 5432, uid: 105 }],
);
const sight = {
  scan,
  proxy: { pid: 900, port: 9090 },
  port: 9090,
  urlPorts: { http: 80, https: 443 },
};
const addresses = new Set(["192.168.1.7"]);
type Read = Exclude<ReadPlace, { kind: "mistake" }>;
const meant = (read: Read) => placeFor(read, { sight, addresses });
const number = (its: number): Read => ({ kind: "number", number: its });

test.each<[string, Read, object]>([
  ["a port on which somebody listens", number(8000), { kind: "port", port: 8000 }],
  ["a port of another user's server", number(5432), { kind: "port", port: 5432 }],
  ["a port that is free, and no pid", number(7777), { kind: "port", port: 7777 }],
  [
    "the pid of a server",
    number(3000),
    { kind: "process", process: { pid: 3000, startedAt: 7000 } },
  ],
  [
    "the pid of a server's parent",
    number(4000),
    { kind: "process", process: { pid: 4000, startedAt: 1000 } },
  ],
  [
    "the pid of what has started one server with a worker that listens",
    number(7001),
    { kind: "process", process: { pid: 7001, startedAt: 1000 } },
  ],
  [
    "a port with the number of what has started several servers",
    number(7000),
    { kind: "port", port: 7000 },
  ],
  [
    "a pid that was said to be one",
    { kind: "pid", pid: 6000 },
    { kind: "process", process: { pid: 6000, startedAt: 1000 } },
  ],
  [
    "a socket",
    { kind: "place", place: { kind: "socket", path: "/run/a" } },
    { kind: "socket", path: "/run/a" },
  ],
])("%s", (_, read, expected) => {
  expect(meant(read)).toEqual(expected as ReturnType<typeof meant>);
});

test.each<[string, Read, typeof Failure | typeof UsageError, string]>([
  ["a port, and a pid", number(6000), Failure, "say which: port:6000 or pid:6000"],
  ["no port, and no pid", number(70_000), Failure, "no process with pid 70000 listens"],
  ["a pid without a server", { kind: "pid", pid: 77 }, Failure, "no process with pid 77 listens"],
  [
    "a pid that has started several servers",
    { kind: "pid", pid: 7000 },
    Failure,
    "name one of them: pid 7002 (port 8002) or 7004 (port 8004)",
  ],
  ["our own port", number(9090), UsageError, "port 9090 is localhostess itself"],
  ["our port of URLs", number(80), UsageError, "port 80 is localhostess itself"],
  ["the API's port", number(41_000), UsageError, "port 41000 is localhostess itself"],
  ["our own pid", { kind: "pid", pid: 900 }, UsageError, "pid 900 is localhostess itself"],
  [
    "our own port, by this machine's address",
    { kind: "place", place: { kind: "host", host: "192.168.1.7", port: 9090 } },
    UsageError,
    "port 9090 is localhostess itself",
  ],
])("%s is refused", (_, read, kind, said) => {
  const tried = (): unknown => meant(read);
  expect(tried).toThrow(kind);
  expect(tried).toThrow(said);
});

test("the same port of another machine is not ours", () => {
  const place = { kind: "host", host: "box", port: 9090 } as const;
  expect(meant({ kind: "place", place })).toEqual(place);
});

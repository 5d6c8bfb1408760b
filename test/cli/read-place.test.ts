/** What a person types for a place -> the place, or what is wrong with it. */
import { expect, test } from "bun:test";
import { readPlace } from "../../src/cli/servers/read-place.ts";

const options = { cwd: "/srv/shop", home: "/home/me", longestPath: 107 };
const read = (text: string) => readPlace(text, options);

const port = (number: number, address?: string) => ({
  kind: "place",
  place: { kind: "port", port: number, ...(address === undefined ? {} : { address }) },
});
const host = (name: string, number: number) => ({
  kind: "place",
  place: { kind: "host", host: name, port: number },
});
const socket = (path: string) => ({ kind: "place", place: { kind: "socket", path } });

test.each([
  // A number is a port, or a pid.
  ["3000", { kind: "number", number: 3000 }],
  ["70000", { kind: "number", number: 70_000 }],
  ["port:3000", port(3000)],
  ["PORT:3000", port(3000)],
  [":3000", port(3000)],
  ["pid:3000", { kind: "pid", pid: 3000 }],
  // This machine.
  ["localhost:3000", port(3000)],
  ["LOCALHOST:3000", port(3000)],
  ["localhost.:3000", port(3000)],
  ["api.localhost:3000", port(3000)],
  ["0.0.0.0:3000", port(3000)],
  ["[::]:3000", port(3000)],
  ["127.0.0.1:3000", port(3000, "127.0.0.1")],
  ["127.1:3000", port(3000, "127.0.0.1")],
  ["127.0.0.2:3000", port(3000, "127.0.0.2")],
  ["[::1]:3000", port(3000, "::1")],
  ["[::ffff:127.0.0.1]:3000", port(3000, "127.0.0.1")],
  ["[::ffff:192.168.1.7]:3000", host("192.168.1.7", 3000)],
  ["[0:0:0:0:0:0:0:1]:3000", port(3000, "::1")],
  // As people paste it.
  ["localhost:3000/users", port(3000)],
  ["http://localhost:3000/", port(3000)],
  ["http://localhost:3000/users?a=1#b", port(3000)],
  ["http://127.0.0.1:3000", port(3000, "127.0.0.1")],
  ["ws://[::1]:3000/ws", port(3000, "::1")],
  ["http://localhost", port(80)],
  ["https://localhost/", port(443)],
  ["postgres://me:p%40ss@localhost:5432/shop", port(5432)],
  ["redis://127.0.0.1:6379/0", port(6379, "127.0.0.1")],
  // Another machine, or another address of this one.
  ["box.lan:8080", host("box.lan", 8080)],
  ["Box:8080", host("box", 8080)],
  ["http://box.lan:8080/x", host("box.lan", 8080)],
  ["https://box.lan", host("box.lan", 443)],
  ["192.168.1.7:80", host("192.168.1.7", 80)],
  ["[fd00::7]:80", host("fd00::7", 80)],
  ["my_box:80", host("my_box", 80)],
  ["bücher.example:80", host("xn--bcher-kva.example", 80)],
  // Unix sockets.
  ["unix:/run/api.sock", socket("/run/api.sock")],
  ["unix:///run/api.sock", socket("/run/api.sock")],
  ["http+unix://%2Frun%2Fapi.sock/info", socket("/run/api.sock")],
  ["unix:api.sock", socket("/srv/shop/api.sock")],
  ["unix:../api.sock", socket("/srv/api.sock")],
  ["unix:~/api.sock", socket("/home/me/api.sock")],
  ["/run/api.sock", socket("/run/api.sock")],
  ["./tmp/api.sock", socket("/srv/shop/tmp/api.sock")],
  ["~/api.sock", socket("/home/me/api.sock")],
  ["unix:/run/a b.sock", socket("/run/a b.sock")],
  [`unix:/${"x".repeat(106)}`, socket(`/${"x".repeat(106)}`)],
])("%s", (text, expected) => {
  expect(read(text)).toEqual(expected as ReturnType<typeof read>);
});

test.each([
  ["", "is not a port"],
  ["0", "neither a port (1 to 65535) nor the pid of a process"],
  ["99999999", "neither a port (1 to 65535) nor the pid of a process"],
  ...["-1", "+3000", "3000-3005", "3000 "].map((its) => [its, "is not a port"] as [string, string]),
  ["port:0", "port: takes a number from 1 to 65535"],
  ["port:65536", "port: takes a number from 1 to 65535"],
  ["port:", "port: takes a number from 1 to 65535"],
  ["pid:0", "pid: takes the number of a process"],
  ["pid:abc", "pid: takes the number of a process"],
  [":99999", "a port is a number from 1 to 65535"],
  ["localhost", 'has no port; try "localhost:80"'],
  ["box", 'has no port; try "box:80"'],
  ["box:0", "a port is a number from 1 to 65535"],
  ["box:70000", "a port is a number from 1 to 65535"],
  ["box:http", "is not a port"],
  ["::1", "an IPv6 address stands in brackets: [::1]:3000"],
  ["::1:3000", "an IPv6 address stands in brackets: [::1]:3000"],
  ["a b:80", '"a b" is not the name of a host'],
  ["a/b:80", "has no port"],
  ["tmp/api.sock", 'try "unix:tmp/api.sock"'],
  ["a\\b:80", "is not the name of a host"],
  ["[::g]:80", "is not the name of a host"],
  ["unix:@abstract", "a socket without a path cannot be dialled"],
  ["unix:", "takes the path of a socket"],
  ["unix:/run/", "takes the path of a socket"],
  [`unix:/${"x".repeat(107)}`, "at most 107 octets, this one has 108"],
  [`unix:/${"ü".repeat(60)}`, "at most 107 octets, this one has 121"],
  ["unix:/run/a\0b", "a path has no zero octet"],
])("%j is a mistake", (text, said) => {
  const found = read(text);
  expect(found.kind).toBe("mistake");
  expect(found.kind === "mistake" && found.what).toContain(said);
});

test("a password is in no message", () => {
  const found = read("postgres://me:secret@localhost/shop");
  expect(found.kind === "mistake" && found.what).toContain("has no port");
  expect(JSON.stringify(found)).not.toContain("secret");
});

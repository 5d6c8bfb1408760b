/** Faults in names that are given, and in the roads to unix sockets and other hosts. */
import type { Fault } from "./fault.ts";

const claimed = ["test/discovery/claimed.test.ts"];
const namesFile = ["test/discovery/names-file.test.ts"];
const places = ["test/cli/place-for.test.ts"];
const typed = ["test/cli/read-place.test.ts"];

export const given: readonly Fault[] = [
  {
    name: "a claim takes the server of a NAME",
    file: "src/discovery/place-holders.ts",
    find: "if (carrier === undefined || carrier.why !== undefined) continue;",
    replace: "if (carrier?.why !== null) continue;",
    tests: claimed,
  },
  {
    name: "a NAME that cannot be used keeps a server from its claim",
    file: "src/discovery/place-holders.ts",
    find: "if (carrier === undefined || carrier.why !== undefined) continue;",
    replace: "if (carrier === undefined) continue;",
    tests: claimed,
  },
  {
    name: "a second port of a server with a NAME cannot be named",
    file: "src/discovery/place-holders.ts",
    find: "if (service !== undefined && service.endpoint.port !== its.port) continue;",
    replace: "",
    tests: claimed,
  },
  {
    name: "a given name leads to our own port",
    file: "src/discovery/place-holders.ts",
    find: "if (its.pids.includes(ownPid))",
    replace: "if (its.pids.includes(ownPid) && its.port === 0)",
    tests: claimed,
  },
  {
    name: "a pid that was used again has the name of the one before",
    file: "src/discovery/place-holders.ts",
    find: "its.startedAt !== startedAt",
    replace: "its.startedAt === undefined",
    tests: claimed,
  },
  {
    name: "a server of another user is dialled whoever has its port by now",
    file: "src/discovery/place-holders.ts",
    find: "const uids = free.flatMap(({ uid }) => uid ?? []);",
    replace: "const uids: number[] = [];",
    tests: claimed,
  },
  {
    name: "a claim takes the name of a NAME",
    file: "src/discovery/claimed.ts",
    find: "if (holder !== undefined) {",
    replace: "if (holder?.name === undefined && holder !== undefined) {",
    tests: claimed,
  },
  {
    name: "a weaker claim has the name while nobody is at the stronger one's place",
    file: "src/discovery/claimed.ts",
    find: 'const isReserved = its.kind !== "waits" || claim.place.kind !== "process";',
    replace: 'const isReserved = its.kind !== "waits";',
    tests: claimed,
  },
  {
    name: "a process that has ended keeps its name from others",
    file: "src/discovery/claimed.ts",
    find: 'const isReserved = its.kind !== "waits" || claim.place.kind !== "process";',
    replace: "const isReserved = true;",
    tests: claimed,
  },
  {
    name: "one server has two names",
    file: "src/discovery/claimed.ts",
    find: "for (const one of socketsOf(its)) taken.set(socketKey(one), claim.name);",
    replace: "",
    tests: claimed,
  },
  {
    name: "claims count in the order in which they come",
    file: "src/discovery/claimed.ts",
    find: "const claims = strength.flatMap((source) => all.filter((claim) => claim.source === source));",
    replace: "const claims = all.filter((claim) => strength.includes(claim.source));",
    tests: claimed,
  },
  {
    name: "a broken file of names is written over",
    file: "src/discovery/names-file.ts",
    find: 'if (read.kind === "broken") return { kind: "failed", why: read.why };\n      const after',
    replace:
      'if (read.kind === "broken") return { kind: "changed", before: [], after: [] };\n      const after',
    tests: namesFile,
  },
  {
    name: "two changes of the names at once lose one",
    file: "src/discovery/names-file.ts",
    find: "const lock = await locked(`${path}.lock`, patience);",
    replace: "const lock = await Promise.resolve({ release() {} });",
    tests: namesFile,
  },
  {
    name: "a file of names that others may write is believed",
    file: "src/discovery/names-file.ts",
    find: "forbidden: 0o022",
    replace: "forbidden: 0",
    tests: namesFile,
  },
  {
    name: "a file of names that breaks takes all names away",
    file: "src/discovery/names-file.ts",
    find: 'if (read.isPassing) version = "";',
    replace: 'known = [];\n        if (read.isPassing) version = "";',
    tests: namesFile,
  },
  {
    name: "a number that is a port and a pid is guessed",
    file: "src/cli/servers/place-for.ts",
    find: "if (isPort && heard && listens) {",
    replace: "if (isPort && heard && listens && number < 0) {",
    tests: places,
  },
  {
    name: "localhostess name leads to our own port",
    file: "src/cli/servers/place-for.ts",
    find: "if (isHere && ports.has(place.port))",
    replace: "if (isHere && ports.has(-place.port))",
    tests: places,
  },
  {
    name: "a password in a URL is in the message about it",
    file: "src/cli/servers/read-place.ts",
    find: 'text.replace(/[^/]*@/, "")',
    replace: "text",
    tests: typed,
  },
  {
    name: "the path of a socket may be longer than the kernel takes",
    file: "src/cli/servers/read-place.ts",
    find: "if (octets > longestPath) {",
    replace: "if (octets > longestPath * 9) {",
    tests: typed,
  },
  {
    name: "a path is dialled as a host",
    file: "src/link/dial.ts",
    find: "return isSocketPath(address) ? { unix: address } : { hostname: address, port };",
    replace: "return { hostname: address, port };",
    tests: ["test/link/dial.test.ts"],
  },
  {
    name: "a unix socket is dialled, whoever has put it there",
    file: "src/proxy/upstream/dials.ts",
    find: "const isAsked = owners !== undefined || isPath;",
    replace: "const isAsked = owners !== undefined;",
    tests: ["test/proxy/unix-sockets.test.ts"],
  },
  {
    name: "another user's link to a socket of ours is followed",
    file: "src/system/socket-users.ts",
    find: "[lstatSync, statSync]",
    replace: "[statSync, statSync]",
    tests: ["test/system/socket-users.test.ts"],
    needs: "another user",
  },
  {
    name: "a unix socket whose queue is full counts as gone",
    file: "src/proxy/upstream/dials.ts",
    find: "isSocketPath(address) && listensAt?.(address) === true",
    replace: "isSocketPath(address) && listensAt?.(address) === null",
    tests: ["test/proxy/upstream/dials.test.ts"],
    only: "unix socket",
  },
];

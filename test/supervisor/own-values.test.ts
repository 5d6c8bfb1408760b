/** The values that only some types of services have: handed over, moved with their folder, and waiting for `up`. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import type { ProjectSpec, ServiceSpec } from "../../src/manifest/project.ts";
import { codeOf } from "../../src/supervisor/project/code.ts";
import { handedProjects, sayable } from "../../src/supervisor/project/handed-project.ts";
import { movedSpec } from "../../src/supervisor/project/moved-spec.ts";
import { needsRestart } from "../../src/supervisor/project/unit.ts";
import { type ProjectEffects, Units } from "../../src/supervisor/project/units.ts";
import { ownText } from "../../src/manifest/types/own-text.ts";
import { orderVariable } from "../../src/manifest/order.ts";
import { project } from "../manifest/manifest.ts";
import { specOf } from "./fake-lifecycle.ts";
import { noKinds } from "./no-kinds.ts";

const toml = `[services.db]
type = "postgres"
init = ["schema.sql", "/srv/seed.sql"]
extensions = ["pg_trgm"]
settings = { fsync = false }
[services.cache]
type = "redis"
version = 7.2
from = "container"
image = "redis:7"
[services.files]
type = "minio"
buckets = ["uploads"]
[services.search]
type = "container"
build = { context = "search", target = "dev", args = { A = "1" } }
port = 7700
entrypoint = ["tini"]
user = 1000
workdir = "/srv"
ports = ["53:53/udp", 80]
volumes = ["data:/data", "./conf:/conf:ro", "/etc/hosts:/hosts"]
stop_signal = "SIGQUIT"
pull = "always"
command = "serve"
[services.docs]
type = "site"
path = "docs"
spa = "app.html"
build = "bun run build"
[services.strange]
type = "nobody-knows"
`;

const spec = project(toml);
const byName = (its: ProjectSpec, name: string): ServiceSpec =>
  its.services.find((one) => one.name === name)!;

test("every type is handed over to the next daemon as it is", () => {
  const folder = {
    ...{ directory: spec.directory, spec, shell: "own", isLost: false, whole: true },
    ...{ profiles: [], units: [] },
  };
  const value = { form: 1, pid: 4242, environments: [], folders: [folder], snapshots: [] };
  const read = v.parse(handedProjects, sayable(value));
  expect(read.folders[0]!.spec.services).toEqual([...spec.services]);
});

test("a folder that is moved takes the paths in it along, and no others", () => {
  const moved = movedSpec(spec, { from: spec.directory, to: "/srv/new" });
  expect(byName(moved, "db").own).toMatchObject({ init: ["/srv/new/schema.sql", "/srv/seed.sql"] });
  expect(byName(moved, "search").own).toMatchObject({
    build: { context: "/srv/new/search" },
    workdir: "/srv",
    volumes: [{ source: "data" }, { source: "/srv/new/conf" }, { source: "/etc/hosts" }],
  });
  expect(byName(moved, "docs").own).toMatchObject({ path: "/srv/new/docs" });
  // It runs the same code there.
  for (const its of spec.services) {
    expect(codeOf(byName(moved, its.name), moved)).toEqual(codeOf(its, spec));
  }
});

const waits: [service: string, from: string, to: string, key: string][] = [
  ["db", '"schema.sql"', '"other.sql"', "init"],
  ["db", '"pg_trgm"', '"plpython3u"', "extensions"],
  ["db", "fsync = false", 'shared_preload_libraries = "x"', "settings"],
  ["cache", '"redis:7"', '"evil:7"', "image"],
  ["search", 'context = "search"', 'context = "other"', "build"],
  ["search", 'target = "dev"', 'target = "prod"', "build"],
  ["search", 'A = "1"', 'A = "2"', "build"],
  ["search", '["tini"]', '["sh"]', "entrypoint"],
  ["search", "user = 1000", "user = 0", "user"],
  ["search", '"./conf:/conf:ro"', '"./conf:/conf"', "volumes"],
  ["search", '"/etc/hosts:/hosts"', '"~/.ssh:/hosts"', "volumes"],
  ["search", '"serve"', '"sh"', "command"],
  ["docs", '"bun run build"', '"bun x"', "command"],
  ["docs", 'path = "docs"', 'path = ".."', "path"],
];

for (const [service, from, to, key] of waits) {
  test(`after a checkout, ${to} in the place of ${from} waits for up`, () => {
    expect(toml).toContain(from);
    const other = project(toml.replace(from, to), { home: "/home/ada" });
    const [before, after] = [
      codeOf(byName(spec, service), spec),
      codeOf(byName(other, service), other),
    ];
    const changed = [...after.keys()].filter((its) => before.get(its) !== after.get(its));
    expect(changed).toEqual([key]);
  });
}

test("another port, version or name of a bucket is no other code", () => {
  const harmless = [
    ["port = 7700", "port = 7701"],
    ["7.2", "7.4"],
    ['"uploads"', '"downloads"'],
    ['"app.html"', '"index.html"'],
  ] as const;
  const text = harmless.reduce((all, [from, to]) => all.replace(from, to), toml);
  const other = project(text);
  for (const its of spec.services) {
    expect(codeOf(byName(other, its.name), other)).toEqual(codeOf(its, spec));
  }
});

test("the words in which our own program is told what to run are no reason to restart a service", () => {
  const before = specOf({ name: "db", env: { A: "1", [orderVariable]: '{"old":1}' } });
  const after = specOf({ name: "db", env: { A: "1", [orderVariable]: '{"new":2}' } });
  expect(needsRestart(before, after)).toBe(false);
  expect(needsRestart(before, specOf({ name: "db", env: { A: "2" } }))).toBe(true);
});

test("the next daemon starts a service of the former one by its own program, in its own words", () => {
  const cache = byName(spec, "cache");
  const place = { folder: "/p", data: "/p/data", sockets: "/p/s", password: "/p/password" };
  const started = (program: string, more: object = {}) => {
    const effects = {
      ...{ portOf: () => 4000, urlOf: () => "", completed: new Map(), onChange() {} },
      machine: { ...noKinds, placeOf: () => place, ownProgram: () => [program], ...more },
    } as unknown as ProjectEffects;
    const units = new Units({ spec, pending: new Map() }, effects);
    units.adopt({ spec, pending: new Map() }, {});
    const filled = units.fill({ spec: cache, shell: {} });
    if (filled.kind === "mistakes") throw new Error(filled.mistakes.join());
    return { units, spec: filled.spec };
  };
  const former = started("/former/localhostess").spec;
  const next = started("/next/localhostess", { engines: ["/run/engine.sock"] });
  expect(next.units.renewed({ spec: former, shell: {} }, cache)).toEqual(next.spec);
  // One whose file has changed since goes on as it was declared then.
  const other = { ...former, env: { ...former.env, A: "1" } };
  expect(next.units.renewed({ spec: other, shell: {} }, cache)).toEqual({
    ...other,
    program: ["/next/localhostess"],
  });
  const web = specOf({ name: "web" });
  expect(next.units.renewed({ spec: web, shell: {} }, web)).toBe(web);
});

test("each is told of in the place of a command", () => {
  const told = spec.services.map(({ name, own, command }) => [
    name,
    own === undefined ? command : ownText(own, command),
  ]);
  expect(Object.fromEntries(told)).toEqual({
    db: "postgres 17",
    cache: "redis:7 7.2",
    files: "minio",
    search: "the image of its Dockerfile serve",
    docs: `files of ${spec.directory}/docs, made by bun run build`,
    strange: "",
  });
});

/** `type = "site"`: its keys, and what is wrong with them. */
import { expect, test } from "bun:test";
import { directory, mistakes, service } from "../manifest.ts";

const table = (keys: string): string => `[services.docs]\ntype = "site"\n${keys}\n`;

test("a path is enough; it is listed, and has an address", () => {
  expect(service(table('path = "dist"'), "docs")).toMatchObject({
    type: "site",
    command: "",
    routeName: "docs.shop",
    own: {
      kind: "site",
      path: `${directory}/dist`,
      fallback: undefined,
      listing: true,
      reload: false,
    },
  });
});

test("every key is read; its build is a command", () => {
  const text = table(`path = "dist"
spa = "app.html"
listing = false
reload = true
build = "bun run build"
watch = ["src"]
depends_on = []`);
  expect(service(text, "docs")).toMatchObject({
    command: "bun run build",
    // Its own output is no reason to build again.
    watch: ["src", `!${directory}/dist`],
    own: { fallback: "app.html", listing: false, reload: true },
  });
  const among = service(table('path = "."\nbuild = "x"\nwatch = ["src"]'), "docs");
  expect(among.watch).toEqual(["src"]);
  expect(service(table('path = "."\nspa = true'), "docs").own).toMatchObject({
    path: directory,
    fallback: "index.html",
  });
});

test("it may start with a request, end when it is idle, have a port, and a command before its build", () => {
  const text = table(`path = "dist"
lazy = true
idle_timeout = "10m"
port = 8080
before_start = "bun install"`);
  expect(service(text, "docs")).toMatchObject({
    ...{ lazy: true, idleTimeout: 600_000, port: 8080, hooks: { before_start: "bun install" } },
  });
});

const noProcess = "a site has no process: the daemon itself answers with its files";

const wrong: [keys: string, told: string][] = [
  ["", ': path is required, such as path = "dist"'],
  ['path = ""', ".path: expected a folder, got an empty string"],
  ["path = 3", ".path: expected a folder, got 3"],
  ['path = "x"\nspa = 3', '.spa: expected true, or a file such as "app.html", got 3'],
  ['path = "x"\nspa = "../a"', ".spa: expected true, or a file in the site's folder"],
  ['path = "x"\nspa = "/a"', ".spa: expected true, or a file in the site's folder"],
  ['path = "x"\nreload = "yes"', '.reload: expected true or false, got "yes"'],
  ['path = "x"\nbuild = { context = "." }', ".build: expected a command such as"],
  ['path = "x"\ncommand = "x"', `.command: ${noProcess}; build is the command that makes them`],
  ['path = "x"\nrestart = "always"', `.restart: ${noProcess}`],
  ['path = "x"\nhealth_check = "true"', `.health_check: ${noProcess}`],
  ['path = "x"\nafter_ready = "true"', `.after_ready: ${noProcess}`],
  ['path = "x"\ninstances = 2', `.instances: ${noProcess}`],
  ['path = "x"\nimage = "nginx"', ".image: only for a service of type"],
];

for (const [keys, told] of wrong) {
  test(`${JSON.stringify(keys)} is an error with its line`, () => {
    const [first, ...more] = mistakes(table(keys));
    expect(more).toEqual([]);
    expect(first).toMatch(/^locald\.toml:\d+ services\.docs/);
    expect(first).toContain(`services.docs${told}`);
  });
}

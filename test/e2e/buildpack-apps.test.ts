/** Real apps of Node.js and Python, built on this machine by buildpacks of the shell, and served. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Launchable } from "../../src/build/buildpacks/buildpack.ts";
import { BuildScene, saidBy } from "../support/build-scene.ts";
import { ended } from "../support/ended.ts";

const fixtures = join(import.meta.dir, "fixtures/buildpacks");

let scene: BuildScene;
afterEach(() => scene?.end());

/** Starts the default process. @returns what it answers. */
async function answered(launchable: Launchable): Promise<string> {
  const { words, env, workdir } = await scene.launch(launchable, { env: { PORT: "0" } });
  const child = Bun.spawn([...words], {
    cwd: workdir,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    let said = "";
    for await (const chunk of child.stdout) {
      said += new TextDecoder().decode(chunk);
      const port = /on (\d+)\n/.exec(said)?.[1];
      if (port !== undefined) return await (await fetch(`http://127.0.0.1:${port}/`)).text();
    }
    throw new Error(`it has ended: ${said}`);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** A tarball as `npm pack` makes it, of a package that exports a function. */
async function npmPackage(version: string): Promise<void> {
  const folder = join(scene.root, `greeter-${version}/package`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "greeter", version }));
  writeFileSync(
    join(folder, "index.js"),
    `module.exports = (name) => "hello " + name + " by greeter ${version}";\n`,
  );
  const tarball = join(scene.app, `vendor/greeter-${version}.tgz`);
  mkdirSync(dirname(tarball), { recursive: true });
  const { code } = await ended(["tar", "-czf", tarball, "-C", dirname(folder), "package"], {
    env: { PATH: process.env.PATH },
    cwd: "/",
  });
  expect(code).toBe(0);
}

/** package.json and its lock file, with that version. */
async function needsGreeter(version: string): Promise<void> {
  await npmPackage(version);
  const from = `file:vendor/greeter-${version}.tgz`;
  const root = { name: "app", version: "1.0.0", dependencies: { greeter: from } };
  scene.write({
    "package.json": JSON.stringify(root),
    "package-lock.json": JSON.stringify({
      name: "app",
      version: "1.0.0",
      lockfileVersion: 3,
      requires: true,
      packages: { "": root, "node_modules/greeter": { version, resolved: from } },
    }),
  });
}

const nodeServer = `
const greet = require("greeter");
require("node:http")
  .createServer((request, answer) => answer.end(greet("node") + " in " + process.env.NODE_ENV))
  .listen(Number(process.env.PORT), "127.0.0.1", function () {
    console.log("on " + this.address().port);
  });
`;

test("Node.js: npm ci into a layer, served; at once where nothing has changed; a changed lock file makes one layer", async () => {
  scene = new BuildScene({ "server.js": nodeServer });
  await needsGreeter("1.0.0");
  const buildpacks = [join(fixtures, "node-engine"), join(fixtures, "npm")];
  const first = await scene.built({ buildpacks });
  expect(saidBy("example/node-engine", first.lines)).toEqual([
    expect.stringMatching(/^node v\d.*: made$/),
  ]);
  expect(saidBy("example/npm", first.lines)[0]).toBe("modules: made by npm ci");
  expect(await answered(first.launchable)).toBe("hello node by greeter 1.0.0 in production");

  await scene.built({ buildpacks });
  const begun = performance.now();
  const second = await scene.built({ buildpacks });
  expect(second.ran).toBe(false);
  expect(performance.now() - begun).toBeLessThan(1000);
  expect(await answered(second.launchable)).toBe("hello node by greeter 1.0.0 in production");

  // Code alone: no layer is made.
  scene.write({ "server.js": nodeServer.replace('"node"', '"code"') });
  const third = await scene.built({ buildpacks });
  expect(saidBy("example/npm", third.lines)).toEqual(["modules: used again"]);
  expect(await answered(third.launchable)).toStartWith("hello code by greeter 1.0.0");

  await needsGreeter("2.0.0");
  const fourth = await scene.built({ buildpacks });
  expect(saidBy("example/node-engine", fourth.lines)).toEqual([
    expect.stringMatching(/: used again$/),
  ]);
  expect(saidBy("example/npm", fourth.lines)[0]).toBe("modules: made by npm ci");
  expect(await answered(fourth.launchable)).toStartWith("hello code by greeter 2.0.0");
}, 60_000);

/** A wheel of one module. */
async function wheel(version: string): Promise<void> {
  const path = join(scene.app, `vendor/greeter-${version}-py3-none-any.whl`);
  mkdirSync(dirname(path), { recursive: true });
  const make = [
    "import sys, zipfile",
    "path, version = sys.argv[1:]",
    'with zipfile.ZipFile(path, "w") as its:',
    `    its.writestr("greeter/__init__.py", f"def greet(name): return 'hello ' + name + ' by greeter {version}'\\n")`,
    '    its.writestr(f"greeter-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\\nName: greeter\\nVersion: {version}\\n")',
  ];
  const { code, err } = await ended(["python3", "-c", make.join("\n"), path, version], {
    env: { PATH: process.env.PATH },
    cwd: "/",
  });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  scene.write({ "requirements.lock": `vendor/greeter-${version}-py3-none-any.whl\n` });
}

const pythonServer = `
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from greeter import greet


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = (greet("python") + (" in a venv" if sys.prefix != sys.base_prefix else "")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
print("on", server.server_port)
server.serve_forever()
`;

test("Python: a venv and wheels in layers, served; at once where nothing has changed; a changed lock file makes one layer", async () => {
  scene = new BuildScene({ "server.py": pythonServer });
  await wheel("1.0");
  const buildpacks = [join(fixtures, "python")];
  const first = await scene.built({ buildpacks });
  expect(saidBy("example/python", first.lines)).toEqual(["venv: made", "packages: made"]);
  expect(await answered(first.launchable)).toBe("hello python by greeter 1.0 in a venv");

  await scene.built({ buildpacks });
  const begun = performance.now();
  const second = await scene.built({ buildpacks });
  expect(second.ran).toBe(false);
  expect(performance.now() - begun).toBeLessThan(1000);

  await wheel("2.0");
  const third = await scene.built({ buildpacks });
  expect(saidBy("example/python", third.lines)).toEqual(["venv: used again", "packages: made"]);
  expect(await answered(third.launchable)).toBe("hello python by greeter 2.0 in a venv");

  scene.write({ "server.py": pythonServer.replace('"python"', '"code"') });
  const fourth = await scene.built({ buildpacks });
  expect(saidBy("example/python", fourth.lines)).toEqual([
    "venv: used again",
    "packages: used again",
  ]);
  expect(await answered(fourth.launchable)).toBe("hello code by greeter 2.0 in a venv");
}, 60_000);

test("each of them says that an app of the other is not for it", async () => {
  scene = new BuildScene({ "server.py": pythonServer });
  await wheel("1.0");
  const { built } = await scene.build({ buildpacks: [join(fixtures, "npm")] });
  expect(built).toMatchObject({ kind: "failed", phase: "detecting" });
});

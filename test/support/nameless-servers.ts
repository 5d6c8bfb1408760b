/** A folder of projects into real servers in them, as people start them, none with a NAME. */
import { chmod, cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type ProgramName, whereIs } from "./debian.ts";
import { pythonWith } from "./frameworks.ts";
import { repository } from "./repository.ts";
import { type Running, running } from "./running.ts";
import { freePort } from "./servers.ts";

const fixtures = resolve(import.meta.dir, "../e2e/fixtures");
const modules = resolve(import.meta.dir, "../../node_modules");
const node = Bun.which("node") ?? "node";

/** `base`: a folder for this server's project; `id`: no other run of the tests has it. */
type Place = { base: string; id: string; port: number };

type Started = { command: readonly string[]; cwd: string; env?: Record<string, string> };

type Kind = {
  needs: readonly ProgramName[];
  /** Where no package brings it: whether it is at hand. */
  isHere?(): boolean;
  /** Packages share a workspace; the others have a folder each. */
  isPackage?: true;
  start(place: Place): Promise<Started>;
  ready: RegExp;
  /** The name that a person would give it. */
  name(id: string): string;
  /** In its page at `/`. */
  page: RegExp;
};

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** A package of the workspace `mono-<id>`, which has a repository of its own. */
async function packageOf(
  { base, id }: Place,
  name: string,
): Promise<{ root: string; cwd: string }> {
  const root = join(base, `mono-${id}`);
  const cwd = join(root, "apps", name);
  await write(
    join(root, "package.json"),
    JSON.stringify({ name: `mono-${id}`, workspaces: ["apps/*"] }),
  );
  await write(join(cwd, "package.json"), JSON.stringify({ name: `@acme/${name}` }));
  await symlink(modules, join(cwd, "node_modules"));
  return { root, cwd };
}

const djangoSettings = `
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manage")
DEBUG = True
SECRET_KEY = "no secret"
ROOT_URLCONF = "manage"
urlpatterns = []
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
`;

/** Astro's own package is 150 MB: this one listens as it does, with Vite, under its command line. */
const astroProgram = `
import { createServer } from "vite";
const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
const server = await createServer({ root: process.cwd(), server: { port, strictPort: true } });
await server.listen();
console.log("astro ready");
`;

export const namelessServers: Readonly<Record<string, Kind>> = {
  Vite: {
    needs: ["node"],
    isPackage: true,
    async start(place) {
      const { cwd } = await packageOf(place, "web");
      await cp(join(fixtures, "vite"), cwd, { recursive: true });
      const program = join(cwd, "node_modules/vite/bin/vite.js");
      return { command: [node, program, "--port", String(place.port), "--strictPort"], cwd };
    },
    ready: /localhost:\d+/,
    name: (id) => `web.mono-${id}`,
    page: /@vite\/client/,
  },
  Next: {
    needs: ["node"],
    isPackage: true,
    async start(place) {
      const { cwd } = await packageOf(place, "site");
      await cp(join(fixtures, "frameworks/next"), cwd, { recursive: true });
      const program = join(modules, "next/dist/bin/next");
      const env = { NEXT_TELEMETRY_DISABLED: "1" };
      return { command: [node, program, "dev", "-p", String(place.port)], cwd, env };
    },
    ready: /Ready in/,
    name: (id) => `site.mono-${id}`,
    page: /_next/,
  },
  "Astro's stand-in": {
    needs: ["node"],
    isPackage: true,
    async start(place) {
      const { root, cwd } = await packageOf(place, "www");
      const program = join(root, "node_modules/astro/astro.mjs");
      await write(program, astroProgram);
      await symlink(join(modules, "vite"), join(root, "node_modules/vite"));
      await write(join(cwd, "index.html"), "<!doctype html><p>www");
      return { command: [node, program, "dev", "--port", String(place.port)], cwd };
    },
    ready: /astro ready/,
    name: (id) => `www.mono-${id}`,
    page: /@vite\/client/,
  },
  Express: {
    needs: ["node"],
    isPackage: true,
    async start(place) {
      const { cwd } = await packageOf(place, "api");
      await write(
        join(cwd, "server.js"),
        `const app = require("express")();
        app.get("/", (request, response) => response.send("from express"));
        app.listen(Number(process.env.PORT), () => console.log("listening"));`,
      );
      // As npm has a script run: in a shell of its own.
      return {
        command: ["sh", "-c", "node server.js; exit"],
        cwd,
        env: { PORT: String(place.port) },
      };
    },
    ready: /listening/,
    name: (id) => `api.mono-${id}`,
    page: /from express/,
  },
  Flask: {
    needs: ["flask", "python3"],
    async start({ base, id, port }) {
      const cwd = join(base, "py");
      await write(join(cwd, "pyproject.toml"), `[project]\nname = "orders_${id}"\n`);
      await write(
        join(cwd, "shop.py"),
        'from flask import Flask\napp = Flask(__name__)\n@app.get("/")\ndef index(): return "from flask"\n',
      );
      return {
        command: [
          pythonWith("flask"),
          "-m",
          "flask",
          "--app",
          "shop",
          "run",
          "--port",
          String(port),
        ],
        cwd,
      };
    },
    ready: /Running on/,
    name: (id) => `orders-${id}`,
    page: /from flask/,
  },
  Django: {
    needs: ["django-admin", "python3"],
    async start({ base, id, port }) {
      const cwd = join(base, `blog-${id}`);
      await write(join(cwd, "manage.py"), djangoSettings);
      // With its reloader: the process that listens is a child of another.
      return {
        command: [pythonWith("django"), "-u", "manage.py", "runserver", `127.0.0.1:${port}`],
        cwd,
      };
    },
    ready: /Starting development server/,
    name: (id) => `blog-${id}`,
    page: /The install worked successfully/,
  },
  Rails: {
    needs: ["rails", "puma"],
    async start({ base, id, port }) {
      const cwd = join(base, `depot-${id}`);
      await write(join(cwd, "Gemfile"), "");
      await cp(join(fixtures, "frameworks/config.ru"), join(cwd, "config.ru"));
      // Its title is over its environment by then.
      const command = ["puma", "-q", "-b", `tcp://127.0.0.1:${port}`, "config.ru"];
      return { command, cwd, env: { BUNDLE_GEMFILE: "" } };
    },
    ready: /Use Ctrl-C to stop/,
    name: (id) => `depot-${id}`,
    page: /<form/,
  },
  PHP: {
    needs: ["php"],
    async start({ base, id, port }) {
      const cwd = join(base, "php");
      await write(join(cwd, "composer.json"), JSON.stringify({ name: `acme/store-${id}` }));
      await write(join(cwd, "public/index.php"), "<?php echo 'from php';");
      return { command: ["php", "-S", `127.0.0.1:${port}`, "-t", "public"], cwd };
    },
    ready: /started/,
    name: (id) => `store-${id}`,
    page: /from php/,
  },
  Go: {
    needs: [],
    isHere: () => Bun.which("go") !== null,
    async start({ base, id, port }) {
      const cwd = join(base, "go");
      await write(join(cwd, "go.mod"), `module example.com/acme/ledger-${id}/v2\n\ngo 1.18\n`);
      await write(
        join(cwd, "main.go"),
        `package main
        import ("fmt"; "net/http"; "os")
        func main() {
          http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "from go") })
          fmt.Println("listening")
          http.ListenAndServe("127.0.0.1:" + os.Args[1], nil)
        }`,
      );
      const env = { GOFLAGS: "-mod=mod", GOPROXY: "off", GOTOOLCHAIN: "local" };
      return { command: ["go", "run", ".", String(port)], cwd, env };
    },
    ready: /listening/,
    name: (id) => `ledger-${id}`,
    page: /from go/,
  },
  "Python's server": {
    needs: ["python3"],
    async start({ base, id, port }) {
      const cwd = join(base, `Notes ${id}`);
      await write(join(cwd, "index.html"), "from python");
      await repository(cwd);
      return { command: ["python3", "-u", "-m", "http.server", String(port)], cwd };
    },
    ready: /Serving HTTP/,
    name: (id) => `notes-${id}`,
    page: /from python/,
  },
};

/** Tools that listen while people work in a project, each under its command line. */
export const tools: Readonly<Record<string, Omit<Kind, "name" | "page">>> = {
  "a helper of VS Code": standIn(".vscode-server/extensions/acme.live-1.2.0/out/server.js"),
  "a language server": standIn("node_modules/typescript-language-server/lib/cli.js"),
  "a browser's port for debuggers": {
    needs: ["chromium"],
    async start({ base, port }) {
      const flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
      ];
      const profile = join(base, "profile");
      await mkdir(profile);
      const quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ];
      const program = whereIs("chromium")!;
      const own = [`--user-data-dir=${profile}`, `--remote-debugging-port=${port}`, "about:blank"];
      return { command: [program, ...flags, ...quiet, ...own], cwd: await projectIn(base) };
    },
    ready: /DevTools listening/,
  },
};

function standIn(program: string): Omit<Kind, "name" | "page"> {
  return {
    needs: ["node"],
    async start({ base, port }) {
      const path = join(base, program);
      const listen = `require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("listening"));`;
      await write(path, listen);
      return { command: [node, path], cwd: await projectIn(base) };
    },
    ready: /listening/,
  };
}

/** A project in which tools are started. */
async function projectIn(base: string): Promise<string> {
  const cwd = join(base, "project");
  await write(join(cwd, "package.json"), '{"name": "a-project-with-tools"}');
  return cwd;
}

export function isAtHand({ needs, isHere }: Pick<Kind, "needs" | "isHere">): boolean {
  return needs.every((program) => whereIs(program) !== undefined) && (isHere?.() ?? true);
}

/** @throws with what it printed, where it does not begin to listen. */
export async function startNameless(
  { start, ready }: Pick<Kind, "start" | "ready">,
  { base, id }: Omit<Place, "port">,
): Promise<Running & { port: number }> {
  await mkdir(base, { recursive: true });
  await chmod(base, 0o755);
  const port = freePort();
  const { command, cwd, env = {} } = await start({ base, id, port });
  return { ...(await running(command, { env, cwd, ready })), port };
}

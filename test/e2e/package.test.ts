/** The package as people get it: installed by npm, installed by bun, and as one executable. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import {
  nothing,
  type Packaged,
  packaged,
  patience,
  root,
  type RunOptions,
} from "../support/packaged.ts";
import { hostilePath, layTraps, mappings, sprung, trapNames } from "../support/traps.ts";
import { eventually } from "../support/eventually.ts";

let its: Packaged;
let directory: string;
let tarball: string;

beforeAll(async () => {
  its = await packaged();
  ({ directory } = its);
  tarball = await its.tarball();
}, patience);

afterAll(() => its[Symbol.asyncDispose]());

async function run(command: readonly string[], options?: RunOptions): Promise<string> {
  return (await its.outputOf(command, options)).out;
}

test("the package has the program, the page, the PAC file and the documents, and no tests", async () => {
  const listing = (await run(["tar", "tzf", tarball])).trimEnd().split("\n");
  const files = new Set(listing);
  for (const file of [
    "bin/localhostess",
    "src/main.ts",
    "dist/page.js",
    "pac/proxy.pac.ts",
    "docs/cli.md",
    "package.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
  ]) {
    expect(files).toContain(`package/${file}`);
  }
  const folders = new Set(listing.map((file) => file.split("/").slice(1, -1)[0] ?? ""));
  expect([...folders].sort()).toEqual(["", "bin", "dist", "docs", "pac", "src"]);
});

test(
  "npm install -g works where there is Node and no Bun",
  async () => {
    expect(await installedVersion(await its.programs["npm install -g"]())).toBe(`${version}\n`);
  },
  patience,
);

/** In an environment without anything. */
function installedVersion(program: string): Promise<string> {
  return run([program, "--version"], { env: nothing() });
}

test(
  "bun install -g works where there is Bun and no Node",
  async () => {
    expect(await installedVersion(await its.programs["bun install -g"]())).toBe(`${version}\n`);
  },
  patience,
);

test(
  "bun run build gives one executable that needs nothing else",
  async () => {
    const program = await its.programs["bun run build"]();
    const empty = join(directory, "empty");
    await mkdir(empty);
    const bare = { env: nothing(), cwd: empty };
    expect(await run([program, "--version"], bare)).toBe(`${version}\n`);
    expect(await run([program, "pac", "--port", "8080"], bare)).toContain("PROXY 127.0.0.1:8080");
    expect(JSON.parse(await run([program, "ls", "--json"], bare))).toBeArray();
  },
  patience,
);

describe("its daemon has the page in it, and speaks https:", () => {
  for (const how of ["npm install -g", "bun run build"] as const) {
    test(
      how,
      async () => {
        const program = await its.programs[how]();
        await using place = await daemonPlace();
        const env = { ...nothing(), ...place.env, HOME: join(place.directory, "home") };
        const said = (...words: string[]) => run([program, ...words], { env });
        // As an earlier version kept one that it had built.
        await Bun.write(join(place.directory, "cache", `page-${"0a".repeat(12)}.js`), "evil");
        await said("server", "start", "--detach", "--port", "0");
        const { url, registration } = await signedIn(place, await said("dashboard", "--print"));
        const script = await url("/page.js");
        expect(script).toBe(await Bun.file(join(root, "dist/page.js")).text());
        expect(await url("/")).toContain('src="/page.js"');
        // Nothing was built, and no script is kept; the port is, as soon as there is time for it.
        await eventually("the cache has the port alone", async () => {
          const cached = await readdir(join(place.directory, "cache"));
          return cached.join() === "page-port";
        });

        expect(await said("env")).toContain("export SSL_CERT_FILE=");
        const ca = await Bun.file(join(place.directory, "authority/certificate.pem")).text();
        const front = await fetch(`https://localhost:${registration.port}/`, { tls: { ca } });
        expect(front.status).toBe(200);
        expect(await said("server", "stop")).toContain("stopped");
      },
      patience,
    );
  }
});

/** What a browser of this person gets at the page's address. */
async function signedIn(place: DaemonPlace, link: string) {
  const found = await place.find();
  if (found.kind !== "healthy") throw new Error(found.kind);
  const { origin } = new URL(link);
  const opened = await fetch(link.trim(), { redirect: "manual" });
  const entry = new URL(opened.headers.get("location")!);
  const { host } = entry;
  const entered = await fetch(`${origin}${entry.pathname}${entry.search}`, {
    redirect: "manual",
    headers: { host },
  });
  const cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
  return {
    registration: found.registration,
    async url(path: string): Promise<string> {
      const answer = await fetch(`${origin}${path}`, {
        headers: { cookie, host, "sec-fetch-site": "same-origin" },
      });
      expect(answer.status).toBe(200);
      return await answer.text();
    },
  };
}

describe("in a stranger's folder, whatever is there, nothing of it runs or is printed:", () => {
  for (const how of ["npm install -g", "bun install -g", "bun run build", "a clone"] as const) {
    test(
      how,
      async () => {
        const program = await its.programs[how]();
        await using place = await daemonPlace();
        const marks = join(place.directory, "marks");
        await mkdir(marks);
        const rest = trapNames.filter((name) => !mappings.some((other) => other === name));
        const entries = [program, join(root, "src/main.ts")];
        for (const mapping of mappings) {
          const folder = join(place.directory, mapping, "folder");
          await layTraps(folder, { marks, entries, names: [mapping, ...rest] });
          await mkdir(join(folder, "sub/sub"), { recursive: true });
          const env = {
            ...nothing(),
            ...place.env,
            HOME: join(place.directory, "home"),
            LOCALHOSTESS_CONFIG: join(place.directory, "no-such-config.toml"),
            PATH: `${hostilePath(folder)}:/usr/bin:/bin`,
          };
          const said = async (cwd: string, ...words: string[]): Promise<string> => {
            const { out, err } = await its.outputOf([program, ...words], { cwd, env });
            expect(await sprung(marks)).toEqual([]);
            expect(err).not.toMatch(/error|broken|package\.json/);
            return out;
          };
          for (const cwd of [folder, join(folder, "sub"), join(folder, "sub/sub")]) {
            expect(await said(cwd, "--version")).toBe(`${version}\n`);
            expect(await said(cwd, "__complete", "--", "ur")).toStartWith("url\t");
            expect(await said(cwd, "pac")).toContain("PROXY 127.0.0.1:9090");
            expect(JSON.parse(await said(cwd, "ls", "--json"))).toBeArray();
          }
          if (mapping === "jsconfig paths") continue;
          const started = await said(folder, "server", "start", "--detach", "--port", "0");
          expect(started).toContain("is running in the background");
          const [pid] = place.pids();
          expect(await readlink(`/proc/${pid}/cwd`)).toBe("/");
          const environ = await readFile(`/proc/${pid}/environ`, "latin1");
          expect(environ).not.toContain("LOCALHOSTESS_CWD");
          expect(await said(folder, "server", "stop")).toContain("stopped");
        }
      },
      patience,
    );
  }
});

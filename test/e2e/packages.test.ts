/** The packages as people get them: each of them made by npm pack, and installed from a registry by four installers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { deb } from "../../scripts/packages/debian/deb.ts";
import { documents } from "../../scripts/packages/documents.ts";
import { helpersIn } from "../../scripts/packages/program.ts";
import { packageName, ownPlatform, platforms } from "../../scripts/packages/platforms.ts";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Installed,
  type Installer,
  nothing,
  type Packaged,
  packaged,
  patience,
  root,
  type RunOptions,
} from "../support/packaged.ts";
import { builtHelpers } from "../support/built-helpers.ts";
import { lackingLife, lifeOnAMachine } from "../support/life-on-a-machine.ts";
import { hostilePath, layTraps, mappings, sprung, trapNames } from "../support/traps.ts";
import { walkInstalled } from "../support/walk-installed.ts";

let its: Packaged;

beforeAll(async () => {
  its = await packaged({ quick: true });
  await its.registry();
}, patience);

afterAll(() => its[Symbol.asyncDispose]());

async function run(command: readonly string[], options?: RunOptions): Promise<string> {
  return (await its.outputOf(command, options)).out;
}

test("no package has an install script, and ours depends on exactly its own version of each", async () => {
  const registry = await its.registry();
  const names = platforms.map(packageName);
  const { optionalDependencies, ...main } = registry.manifest("localhostess");
  expect(optionalDependencies).toEqual(Object.fromEntries(names.map((name) => [name, version])));
  expect(main).not.toHaveProperty("dependencies");
  for (const name of ["localhostess", ...names]) {
    expect(registry.manifest(name)).not.toHaveProperty("scripts");
    expect(registry.manifest(name).version).toBe(version);
  }
});

/** npm and yarn run scripts unless they are told not to; pnpm and bun do not. test/soak/packages.ts has all eight. */
const ways: [installer: Installer, scripts: boolean][] = [
  ["npm", false],
  ["pnpm", true],
  ["yarn", false],
  ["bun", true],
];

let byNpm: Installed;

for (const [installer, scripts] of ways) {
  test(
    `${installer} ${scripts ? "" : "--ignore-scripts "}installs it; it starts, routes a request and stops`,
    async () => {
      const installed = await its.install(installer, { scripts });
      if (installer === "npm") byNpm = installed;
      await walkInstalled(installed, { version, outputOf: its.outputOf });
      // Nothing was fetched that the packages do not have in them.
      const others = (await its.registry()).others.filter((name) => !name.startsWith("-/"));
      // pnpm looks for a newer pnpm.
      expect(others.filter((name) => name !== "pnpm")).toEqual([]);
    },
    patience,
  );
}

test(
  "of the platforms, npm installs the machine's own, with helpers that can be run",
  async () => {
    const own = ownPlatform();
    const modules = join(byNpm.home, "prefix/lib/node_modules/localhostess/node_modules");
    expect(await readdir(join(modules, "@localhostess"))).toEqual([own.id]);
    if (own.os !== "linux") return;
    for (const name of ["localhostess-helper", "localhostess-hosts"]) {
      const { mode } = await stat(join(modules, "@localhostess", own.id, "libexec", name));
      expect(mode & 0o7777).toBe(0o755);
    }
  },
  patience,
);

test(
  "npx runs it from an empty folder, with a version and with the list",
  async () => {
    const cwd = join(byNpm.home, "nothing here");
    await mkdir(cwd);
    await using place = await daemonPlace();
    const env = { ...nothing(), ...byNpm.env, ...place.env };
    const npx = join(byNpm.env.PATH!, "npx");
    const help = await run([npx, "--yes", "localhostess", "--help"], { cwd, env });
    expect(help).toContain("Usage: localhostess");
    expect(JSON.parse(await run([npx, "localhostess", "ls", "--json"], { cwd, env }))).toBeArray();
    expect(await readdir(cwd)).toEqual([]);
  },
  patience,
);

test(
  "its daemon has the page in it, and speaks https",
  async () => {
    await using place = await daemonPlace();
    const env = { ...nothing(), ...place.env, HOME: join(place.directory, "home") };
    const said = (...words: string[]) => run([byNpm.program, ...words], { env });
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
  const programs = {
    "the package": async () => byNpm.program,
    "a clone": async () => join(root, "bin/localhostess"),
  } as const;
  for (const [how, programOf] of Object.entries(programs)) {
    test(
      how,
      async () => {
        const program = await programOf();
        await using place = await daemonPlace();
        const marks = join(place.directory, "marks");
        await mkdir(marks);
        const rest = trapNames.filter((name) => !mappings.some((other) => other === name));
        const entries = [program, join(root, "src/main.ts")];
        for (const mapping of mappings) {
          const folder = join(place.directory, mapping, "folder");
          await layTraps(folder, { marks, entries, names: [mapping, ...rest] });
          const below = join(folder, "sub/sub");
          await mkdir(below, { recursive: true });
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
          expect(await said(below, "pac")).toContain("PROXY 127.0.0.1:9090");
          if (mapping !== "tsconfig paths") continue;
          expect(JSON.parse(await said(folder, "ls", "--json"))).toBeArray();
          expect(await said(folder, "__complete", "--", "ur")).toStartWith("url\t");
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

test(
  "the compiled program is where the person is, whatever LOCALHOSTESS_CWD says",
  async () => {
    const cwd = join(its.directory, "a project");
    await Bun.write(join(cwd, "locald.toml"), '[services.web]\ncommand = "true"\n');
    const env = { ...nothing(), LOCALHOSTESS_CWD: "/" };
    const words = [await its.executable(), "__complete", "--", "up", ""];
    expect(await run(words, { cwd, env })).toContain("web\t");
  },
  patience,
);

const lacks = lackingLife();

/** With the program that the packages of npm have in this run. */
async function debianPackage(): Promise<string> {
  const [work, platform] = [join(its.directory, "deb"), ownPlatform()];
  await mkdir(work);
  const executable = await its.executable();
  const own = { executable, libexec: helpersIn(builtHelpers(), platform)! };
  const options = { platform, program: own, documents: await documents({ version, epoch: 0 }) };
  return await deb({
    ...{ ...options, version, epoch: 0, license: "MIT License\n\nPermission is granted.\n" },
    ...{ out: work, work, quick: true },
  });
}

test.skipIf(lacks !== "")(
  `the package for Debian: setup, URLs without a port, another user refused, and all of it gone again${lacks}`,
  async () => {
    await using life = await lifeOnAMachine(await debianPackage(), join(its.directory, "life"));
    const [ann, ben] = [life.person(65_534), life.person(65_533)];
    const said = async (script: string, as = ann, code = 0): Promise<string> => {
      const ended = await life.says(script, as);
      if (ended.code !== code)
        throw new Error(`${script}: ${ended.code}\n${ended.out}${ended.err}`);
      return ended.out + ended.err;
    };
    await said("sudo dpkg -i /mnt/localhostess.deb");
    expect(await said("localhostess setup --yes")).toContain("done");
    // The system's store is only as it was where it was in order before.
    await said("localhostess trust || :");
    const serve = `Bun.serve({ port: 3000, hostname: "127.0.0.1", fetch: () => new Response("hello") })`;
    await said(`NAME=api setsid /mnt/bun -e '${serve}' > /dev/null 2>&1 < /dev/null &`);
    expect(await said("localhostess server start --detach")).toContain("http://localhost\n");
    const get = "curl -sS --max-time 20 --retry 20 --retry-max-time 60 --retry-all-errors --fail";
    const both = `${get} http://api.localhost/; ${get} https://api.localhost/`;
    expect(await said(`eval "$(localhostess env)"; ${both}`)).toBe("hellohello");
    const asked = "curl -s -o /dev/null -w '%{http_code}' http://api.localhost/";
    expect(await said(asked, ben)).toBe("403");
    const helper = `/usr/libexec/localhostess/localhostess-helper ${version} bind 80`;
    expect(await said(helper, ben, 2)).toContain("does not allow user 65533");
    await said(`sudo localhostess setup --ports --yes --user ${ben.uid}`);
    // The next thing that it looks at: no daemon has started it here.
    expect(await said(helper, ben, 2)).toContain("descriptor 3");
    expect(await said("localhostess uninstall --yes")).toContain(`user ${ben.uid}, whom `);
    expect(await said("ps -eo comm")).not.toContain("localhostess");
    expect(await life.left()).toEqual([]);
    expect(await said("ls -A ~")).toBe("");
  },
  patience,
);

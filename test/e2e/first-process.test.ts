/** `server start` as the first process of a container, for real: in a namespace of pids of its own. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { childrenOf } from "../../src/system/children.ts";
import { processNow } from "../../src/system/process-now.ts";
import { whereIs } from "../../src/system/search-path.ts";
import { eventually } from "../support/eventually.ts";

setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "../..");
const program = [process.execPath, join(root, "src/main.ts")];
const namespaces = ["--user", "--map-current-user", "--pid", "--mount-proc"];

/** User namespaces are closed to users on some systems. */
const able =
  process.platform === "linux" &&
  whereIs("nsenter", process.env.PATH) !== undefined &&
  Bun.spawnSync(["unshare", ...namespaces, "--fork", "true"]).exitCode === 0;

let directory: string;
let env: Record<string, string>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-first-"));
  env = {
    PATH: process.env.PATH!,
    HOME: directory,
    LOCALHOSTESS_STATE_DIR: join(directory, "state"),
  };
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** The words of CMD in the Dockerfile that docs/service.md shows. */
async function documented(): Promise<string[]> {
  const text = await readFile(join(root, "docs/service.md"), "utf8");
  const words = JSON.parse(/^CMD (\[.*\])$/m.exec(text)![1]!) as string[];
  expect(words.shift()).toBe("localhostess");
  return words;
}

/** A container, as far as processes go. */
async function container(words: readonly string[]) {
  const child = Bun.spawn(
    ["unshare", ...namespaces, "--fork", "--kill-child", ...program, ...words, "--port", "0"],
    { env, cwd: "/", stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const bytes of stream) output += new TextDecoder().decode(bytes);
  };
  const done = Promise.all([read(child.stdout), read(child.stderr)]);
  await eventually("the banner", () => output.includes("/proxy.pac"), 60_000);
  const [first] = childrenOf(child.pid)!;
  return {
    pid: first!,
    output: () => output,
    /** As `docker exec` does. */
    async exec(...command: string[]) {
      const words = ["nsenter", "-t", String(first), "-U", "-m", "-p", "--preserve-credentials"];
      const inside = Bun.spawn([...words, ...command], {
        ...{ env, cwd: "/", stdin: "ignore", stdout: "pipe", stderr: "pipe" },
      });
      const [out, err] = await Promise.all([inside.stdout.text(), inside.stderr.text()]);
      return { code: await inside.exited, out, err };
    },
    signal: (name: NodeJS.Signals) => process.kill(first!, name),
    async ended() {
      const code = await child.exited;
      await done;
      return code;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

type Container = Awaited<ReturnType<typeof container>>;

const zombies = ({ pid }: Container) => childrenOf(pid)!.filter((its) => processNow(its)?.zombie);

/** The pid of the daemon that runs, as the container counts. */
function daemonPid(): number {
  const text = readFileSync(join(directory, "state/registration.json"), "utf8");
  return (JSON.parse(text) as { pid: number }).pid;
}

test.skipIf(!able)(
  "it reaps the orphans of others, stays while another daemon takes over, and ends its services and itself",
  async () => {
    const shop = join(directory, "shop");
    await Bun.write(
      join(shop, "locald.toml"),
      `[project]
name = "shop"
[services.web]
type = "worker"
command = "trap 'echo web >> ../ended; exit' TERM; echo up > ../up; while :; do sleep 0.1; done"
depends_on = ["db"]
[services.db]
type = "worker"
command = "trap 'echo db >> ../ended; exit' TERM; while :; do sleep 0.1; done"
`,
    );
    await using its = await container(await documented());
    expect(daemonPid()).toBe(1);

    // A process whose parent has ended is a child of the first one, and in the session of nobody that we know.
    await its.exec("sh", "-c", "(sleep 0.3; exit 3) & (setsid sleep 0.3) & exit 0");
    await eventually("orphans", () => zombies(its).length > 0);
    await eventually("none is left", () => zombies(its).length === 0, 30_000);

    expect((await its.exec(...program, "up", shop)).code).toBe(0);
    await eventually("up", () => readFileSync(join(directory, "up"), "utf8") === "up\n");
    await writeFile(join(directory, "up"), "");
    const restarted = await its.exec(...program, "server", "restart");
    expect(restarted).toMatchObject({ code: 0 });
    expect(daemonPid()).toBeGreaterThan(1);
    await eventually("it stays", () =>
      its.output().includes("this process stays until the daemon"),
    );
    // Its services went on.
    expect(readFileSync(join(directory, "up"), "utf8")).toBe("");
    await its.exec("sh", "-c", "(sleep 0.1; exit 3) & exit 0");
    await eventually("none is left again", () => zombies(its).length === 0, 30_000);

    const began = performance.now();
    its.signal("SIGTERM");
    expect(await its.ended()).toBe(0);
    // docker stop kills after ten seconds.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(readFileSync(join(directory, "ended"), "utf8")).toBe("web\ndb\n");
    expect(await Bun.file(join(directory, "state/registration.json")).exists()).toBe(false);
  },
);

test.skipIf(!able)(
  "told to end while another daemon is on trial, it ends that one, whose services end in time",
  async () => {
    const shop = join(directory, "shop");
    const command = "trap 'echo web > ../ended; exit' TERM; while :; do sleep 0.1; done";
    await Bun.write(
      join(shop, "locald.toml"),
      `[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "${command}"\n`,
    );
    await using its = await container(await documented());
    expect((await its.exec(...program, "up", shop)).code).toBe(0);
    const restarting = its.exec(...program, "server", "restart");
    await eventually("the next one", () => daemonPid() > 1, 30_000);
    await its.exec(...program, "ls");
    expect(its.output()).not.toContain("this process stays");
    its.signal("SIGTERM");
    expect(await its.ended()).toBe(0);
    expect(readFileSync(join(directory, "ended"), "utf8")).toBe("web\n");
    await restarting;
  },
);

test.skipIf(!able)(
  "a first process ignores signals that it does not handle; SIGQUIT is handled",
  async () => {
    await using its = await container(await documented());
    its.signal("SIGQUIT");
    expect(await its.ended()).toBe(0);
  },
);

/**
 * A branch that brings commands which nobody has seen, and a real daemon: what goes on, what waits, and who says
 * so.
 */
import { describe, expect, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BootLine } from "../../src/routes/project-report.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { opened, type Repository, repository } from "../support/repository.ts";
import { cli } from "../cli/cli.ts";

const worker = (command: string, more = ""): string =>
  `type = "worker"\ncommand = "${command}"\n${more}\n`;

const toml = ({ api = "exec sleep 1000", more = "", project = "" } = {}): string =>
  `[project]\nname = "shop"\n${project}\n[services.api]\n${worker(api)}\n[services.jobs]\n${worker("exec sleep 2000")}\n${more}`;

type Shop = { place: ProjectPlace; directory: string; git: Repository } & AsyncDisposable;

/** Up, on main. */
async function shop(text = toml()): Promise<Shop> {
  const place = await projectPlace();
  const directory = await place.project("shop", text);
  const git = await repository(directory);
  await git.commit("Shop");
  await place.up(directory);
  return {
    place,
    directory,
    git,
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
    },
  };
}

/**
 * A branch with that locald.toml, which is not checked out. Made in another folder: in the project's own, the daemon
 * might see the file for a moment, and take it for an edit.
 */
async function branch({ git, directory }: Shop, name: string, text: string): Promise<void> {
  const other = `${directory}-${name}`;
  await git.git("worktree", "add", "--quiet", "-b", name, other);
  await writeFile(join(other, "locald.toml"), text);
  await opened(other).commit(name);
  await git.git("worktree", "remove", "--force", other);
}

describe("a branch that is checked out", () => {
  test("changes no command and adds no service before `up`; what runs goes on, and all say so", async () => {
    await using its = await shop();
    const { place, directory, git } = its;
    await branch(
      its,
      "feature",
      toml({
        api: "exec sleep 1001",
        more: `depends_on = ["spy"]\n[services.spy]\n${worker("exec sleep 1002")}`,
      }),
    );
    await place.until("shop:api", ({ warnings }) => warnings.length === 0);
    const before = await place.row("shop:api");
    await git.git("checkout", "--quiet", "feature");
    const waiting = await place.until("shop:api", ({ pending }) => pending !== null);
    expect(waiting).toMatchObject({
      pid: before.pid,
      ready: true,
      command: "exec sleep 1000",
      pending: {
        change: "changed",
        keys: ["command"],
        before: "exec sleep 1000",
        after: "exec sleep 1001",
      },
    });
    expect(waiting.pending!.why).toContain("HEAD");
    const spy = await place.row("shop:spy");
    expect(spy).toMatchObject({
      pid: null,
      pending: { change: "added", before: null, after: "exec sleep 1002" },
    });
    const jobs = await place.row("shop:jobs");
    expect(jobs.pending).toBeNull();
    // It was approved without spy, so it does not wait for it.
    await place.lines<BootLine>({ Restart: { name: "shop:jobs", env: {} } });
    const restarted = await place.row("shop:jobs");
    expect(restarted).toMatchObject({ ready: true, why: null });
    expect(restarted.pid).not.toBe(jobs.pid);

    // A restart, of both, has what was approved, and refuses what is new.
    const lines = await place.lines<BootLine>({ Restart: { name: "shop:api", env: {} } });
    expect(lines.at(-1)).toBe("Ok");
    const again = await place.row("shop:api");
    expect(again.pid).not.toBe(before.pid);
    expect(await commandLine(again.pid!)).toBe("sleep 1000");
    const refused = await place.lines<BootLine>({ Restart: { name: "shop:spy", env: {} } });
    expect(JSON.stringify(refused.at(-1))).toContain("localhostess up");

    // It is said.
    const status = await place.daemon.run("status");
    expect(status.out).toContain('api (command: "exec sleep 1000" -> "exec sleep 1001")');
    expect(status.out).toContain('spy (new: "exec sleep 1002")');
    expect(status.out).toContain(`localhostess up ${directory}`);
    const logs = await cli(["logs", "shop:jobs"], { env: place.daemon.env });
    expect(logs.err).toContain(`localhostess up ${directory}`);
    expect(logs.err.match(/localhostess up/g)).toHaveLength(1);
    const log = await readFile(join(place.daemon.directory, "daemon.log"), "utf8");
    expect(log).toContain(`localhostess up ${directory}`);
    expect((await place.logs("shop:api")).join("\n")).toContain("localhostess up");

    // And `up` takes it.
    const up = await cli(["up", directory], { env: place.daemon.env });
    expect(up.code).toBe(0);
    expect(up.err).toContain('api (command: "exec sleep 1000" -> "exec sleep 1001")');
    const now = await place.until("shop:api", (row) => row.ready && row.pid !== again.pid);
    expect(now.pending).toBeNull();
    expect(await commandLine(now.pid!)).toBe("sleep 1001");
    expect((await place.row("shop:spy")).ready).toBe(true);
    expect((await cli(["logs", "shop:jobs"], { env: place.daemon.env })).err).toBe("");
  }, 120_000);
});

describe("before `up`", () => {
  test("the next daemon starts what is as it was approved, and nothing else; pinned or not", async () => {
    await using its = await shop(toml({ project: "" }));
    const { place, directory, git } = its;
    const pinned = await place.project(
      "pinned",
      `[project]\nname = "pinned"\n[services.w]\n${worker("exec sleep 4000")}`,
    );
    const other = await repository(pinned);
    await other.commit("Pinned");
    await place.send({ RegistryPin: { project_path: pinned } });
    await branch(its, "feature", toml({ api: "exec sleep 1001" }));
    await place.daemon.run("server", "stop");
    const state = await readFile(join(place.daemon.directory, "state.json"), "utf8");
    expect(state).toContain(await git.git("rev-parse", "main"));
    expect(state).not.toContain("sleep");

    await git.git("checkout", "--quiet", "feature");
    await other.git("checkout", "--quiet", "-b", "feature");
    await writeFile(
      join(pinned, "locald.toml"),
      `[project]\nname = "pinned"\n[services.w]\n${worker("exec sleep 4001")}`,
    );
    await other.commit("Feature");
    await other.git("checkout", "--quiet", "main");
    await other.git("checkout", "--quiet", "feature");
    await place.daemon.start();
    await place.until("shop:jobs", ({ ready }) => ready);
    const api = await place.until("shop:api", ({ state }) => state === "failed");
    expect(api).toMatchObject({
      pid: null,
      pending: { change: "changed", held: true, before: null },
    });
    expect(api.why).toContain(`localhostess up ${directory} takes it`);
    const w = await place.until("pinned:w", ({ state }) => state === "failed");
    expect(w).toMatchObject({ pid: null, pending: { keys: ["command"] } });

    // The approved branch again: it starts by itself.
    await git.git("checkout", "--quiet", "main");
    const back = await place.until("shop:api", ({ ready }) => ready);
    expect(back.pending).toBeNull();
    expect(await commandLine(back.pid!)).toBe("sleep 1000");
    const up = await cli(["up", pinned], { env: place.daemon.env });
    expect({ code: up.code, err: up.err }).toMatchObject({ code: 0 });
    expect(up.err).toContain('w (command: "exec sleep 4001")');
    expect((await place.row("pinned:w")).ready).toBe(true);
  }, 120_000);

  test("of a pinned project of which nothing is known, nothing is started; a daemon that wrote nothing down is believed", async () => {
    await using place = await projectPlace();
    const up = await place.project("shop", toml());
    await place.up(up);
    const pinned = await place.project("pinned", toml().replace("shop", "pinned"));
    await place.send({ RegistryPin: { project_path: pinned } });
    const path = join(place.daemon.directory, "state.json");
    type Kept = { seen?: { directory: string }[] };
    const restart = async (change: (state: Kept) => void) => {
      await place.daemon.run("server", "stop");
      const state = JSON.parse(await readFile(path, "utf8")) as Kept;
      change(state);
      await writeFile(path, JSON.stringify(state));
      await place.daemon.start();
    };
    await restart((state) => {
      state.seen = state.seen!.filter((its) => its.directory !== pinned);
    });
    await place.until("shop:api", ({ ready }) => ready);
    const held = await place.until("pinned:api", ({ state }) => state === "failed");
    expect(held.pending).toMatchObject({ change: "added", held: true });
    await restart((state) => {
      delete state.seen;
    });
    await place.until("shop:api", ({ ready }) => ready);
  }, 120_000);

  test("a request wakes the version that was approved, and a new service not at all; so do a crash and `watch`", async () => {
    const lazy = (text: string) =>
      `lazy = true\ncommand = """exec bun -e 'Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("${text}") })'"""\n`;
    const files = (text: string, more = "") =>
      `${toml({ api: `exec sleep ${text === "one" ? 1000 : 1001}`, more: `[services.page]\n${lazy(text)}\n${more}` }).replace("[services.jobs]", '[services.jobs]\nwatch = ["*.py"]')}`;
    await using its = await shop(files("one"));
    const { place, directory, git } = its;
    await branch(its, "feature", files("two", `[services.spy]\n${lazy("spy")}`));
    await git.git("checkout", "--quiet", "feature");
    await place.until("shop:spy", ({ pending }) => pending !== null);
    const before = await place.row("shop:api");
    const ask = async (host: string) => {
      const { port } = new URL((await place.row("shop:page")).url!);
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { Host: host } });
      return { status: answer.status, text: await answer.text() };
    };
    expect(await ask("page.shop.localhost")).toEqual({ status: 200, text: "one" });
    const spy = await ask("spy.shop.localhost");
    expect(spy.status).toBe(503);
    expect((await place.row("shop:spy")).pid).toBeNull();

    process.kill(before.pid!, "SIGKILL");
    const again = await place.until("shop:api", (row) => row.ready && row.pid !== before.pid);
    expect(await commandLine(again.pid!)).toBe("sleep 1000");
    const jobs = await place.row("shop:jobs");
    await writeFile(join(directory, "a.py"), "");
    const renewed = await place.until("shop:jobs", (row) => row.ready && row.pid !== jobs.pid);
    expect(renewed.pending).toBeNull();
  }, 120_000);

  test("what decides nothing goes on by itself: .env, and services without a part that waits", async () => {
    const say = `type = "worker"\ncommand = "printenv FOO BAR; exec sleep 5000"\n`;
    const files = (more: string) => `[project]\nname = "shop"\n[services.say]\n${say}${more}`;
    await using its = await shop(files(""));
    const { place, directory } = its;
    await branch(its, "feature", files('env = { BAR = "branch" }\n'));
    const before = await place.row("shop:say");
    await its.git.git("checkout", "--quiet", "feature");
    const branched = await place.until("shop:say", (row) => row.ready && row.pid !== before.pid);
    expect(branched.pending).toBeNull();
    await writeFile(join(directory, ".env"), "FOO=file\n");
    await place.until("shop:say", (row) => row.ready && row.pid !== branched.pid);
    expect((await place.logs("shop:say")).slice(-2)).toEqual(["file", "branch"]);
  }, 120_000);
});

describe("what is the person's own applies at once:", () => {
  test("an edit, the edit after its commit, and where reload or config.toml says so, what a branch brings", async () => {
    await using its = await shop();
    const { place, directory, git } = its;
    const runs = async (words: string, before: number | null) => {
      const row = await place.until("shop:api", (now) => now.ready && now.pid !== before);
      expect(await commandLine(row.pid!)).toBe(words);
      expect(row.pending).toBeNull();
      return row.pid;
    };
    let pid = await runs("sleep 1000", null);
    await writeFile(join(directory, "locald.toml"), toml({ api: "exec sleep 1001" }));
    pid = await runs("sleep 1001", pid);
    await git.commit("An edit");
    await writeFile(join(directory, "locald.toml"), toml({ api: "exec sleep 1002" }));
    pid = await runs("sleep 1002", pid);
    await git.commit("Another");

    // Pulled from elsewhere, a reload of its own does not count.
    await branch(its, "auto", toml({ api: "exec sleep 1003", project: 'reload = "auto"' }));
    await git.git("checkout", "--quiet", "auto");
    await place.until("shop:api", ({ pending }) => pending !== null);
    await place.up(directory);
    pid = await runs("sleep 1003", pid);
    // Now it does.
    await git.git("checkout", "--quiet", "main");
    pid = await runs("sleep 1002", pid);
    await git.git("checkout", "--quiet", "auto");
    await runs("sleep 1003", pid);
  }, 120_000);

  test('but not with reload = "ask", with git or without', async () => {
    await using place = await projectPlace();
    const directory = await place.project("shop", toml({ project: 'reload = "ask"' }));
    await place.up(directory);
    const before = await place.row("shop:api");
    await writeFile(join(directory, "locald.toml"), toml({ api: "exec sleep 1001" }));
    const waits = await place.until("shop:api", ({ pending }) => pending !== null);
    expect(waits).toMatchObject({ pid: before.pid, pending: { why: 'reload is "ask"' } });
    await place.up(directory, { services: ["jobs"] });
    expect((await place.row("shop:api")).pid).toBe(before.pid);
    await place.up(directory, { services: ["api"] });
    const now = await place.until("shop:api", (row) => row.ready && row.pid !== before.pid);
    expect(await commandLine(now.pid!)).toBe("sleep 1001");
  }, 120_000);
});

test("files that come before HEAD moves are not taken for an edit", async () => {
  await using its = await shop();
  const { place, directory, git } = its;
  await branch(its, "feature", toml({ api: "exec sleep 1001" }));
  const before = await place.row("shop:api");
  // As a checkout does that takes its time: lock, files, index, HEAD.
  const lock = join(directory, ".git/index.lock");
  await writeFile(lock, "");
  await writeFile(join(directory, "locald.toml"), toml({ api: "exec sleep 1001" }));
  // An edit elsewhere shows that the files have been looked at.
  const mark = await place.project(
    "mark",
    `[project]\nname = "mark"\n[services.m]\n${worker("exec sleep 6000")}`,
  );
  await place.up(mark);
  await writeFile(
    join(mark, "locald.toml"),
    `[project]\nname = "mark"\n[services.n]\n${worker("exec sleep 6001")}`,
  );
  await place.until("mark:n", ({ ready }) => ready);
  await place.gone("mark:m");
  expect((await place.row("shop:api")).pid).toBe(before.pid);
  await rm(lock);
  // By hand: on a busy machine, git would start so late that what lies between would be an edit.
  await writeFile(join(directory, ".git/HEAD"), "ref: refs/heads/feature\n");
  await git.git("reset", "--quiet");
  const waits = await place.until("shop:api", ({ pending }) => pending !== null);
  expect(waits.pid).toBe(before.pid);
  expect(waits.command).toBe("exec sleep 1000");
}, 120_000);

async function commandLine(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
}

/** A branch that brings commands which nobody has seen, and a real daemon: what goes on, what waits, and who says so. */
import { describe, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BootLine } from "../../src/routes/project-report.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { type Repository, repository } from "../support/repository.ts";
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

/** A branch with that locald.toml, which is not checked out. */
async function branch({ git, directory }: Shop, name: string, text: string): Promise<void> {
  await git.git("checkout", "--quiet", "-b", name);
  await writeFile(join(directory, "locald.toml"), text);
  await git.commit(name);
  await git.git("checkout", "--quiet", "main");
}

describe("a branch that is checked out", () => {
  test("changes no command and adds no service before `up`; what runs goes on, and all say so", async () => {
    await using its = await shop();
    const { place, directory, git } = its;
    await branch(
      its,
      "feature",
      toml({ api: "exec sleep 1001", more: `[services.spy]\n${worker("exec sleep 1002")}` }),
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
    expect((await place.row("shop:jobs")).pending).toBeNull();

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
  }, 60_000);
});

async function commandLine(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
}

import { describe, expect, test } from "bun:test";
import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonForm } from "../../src/routes/json-form.ts";
import type { OutputLine } from "../../src/routes/project-report.ts";
import { follow } from "../../src/control/found/client.ts";
import { parseProcStat } from "../../src/system/proc-stat.ts";
import { asRoot, canBeOther, otherListener } from "../support/other-user.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, projectPlace, server } from "../support/project-place.ts";

const ticker = "while :; do echo tick; sleep 0.2; done";

function shop(more = ""): string {
  return `
[project]
name = "shop"
[services.web]
command = """${server}"""
depends_on = ["api"]
[services.api]
command = """${server}"""
[services.cron]
type = "worker"
command = "${ticker}"
${more}`;
}

describe("up", () => {
  test("starts in order, tells each step, and keeps no value of the environment", async () => {
    await using place = await projectPlace();
    const directory = await place.project("shop", shop());
    const env = { PATH: process.env.PATH!, FOO: "a-secret-value" };
    const lines = await place.up(directory, { env });
    expect(lines.at(-1)).toBe("Ok");
    const finished = lines.flatMap((line) =>
      typeof line === "object" && "type" in line && line.type === "StepFinished"
        ? line.data.id
        : [],
    );
    expect(finished.indexOf("shop:api")).toBeLessThan(finished.indexOf("shop:web"));
    expect(new Set(finished)).toEqual(new Set(["config", "shop:api", "shop:web", "shop:cron"]));

    const row = await place.row("shop:web");
    expect(row).toMatchObject({
      state: "ready",
      ready: true,
      status: "running",
      domain: "shop.localhost",
      health_status: "Healthy",
      path: directory,
      exit: null,
    });
    const answer = await fetch(row.url!, { headers: { Host: "shop.localhost" } });
    expect(await answer.text()).toBe("a-secret-value");
    const { FOO } = await (
      await place.send<{ ServiceEnv: Record<string, string> }>({
        GetServiceEnv: { name: "shop:web" },
      })
    ).ServiceEnv;
    expect(FOO).toBeUndefined();
    for (const name of ["state.json", "registry.json"]) {
      const path = join(place.daemon.directory, name);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readFile(path, "utf8")).not.toContain("a-secret-value");
    }
    expect(await place.logs("shop:web")).toEqual([`listening on ${row.port}`]);
  });

  test("says why not, and with the last lines of what failed", async () => {
    await using place = await projectPlace();
    const toml = `[project]
name = "bad"
[services.db]
command = "echo no disk; exit 3"
[services.web]
command = "sleep 100"
depends_on = ["db"]`;
    const lines = await place.up(await place.project("bad", toml));
    expect(lines.at(-1)).toEqual({
      Error:
        "bad:db ended with exit code 3\nbad:web did not start: db, which it waits for, ended with exit code 3",
    });
    const { exit } = await place.row("bad:db");
    expect(exit).toMatchObject({ code: 3, signal: null, last_lines: ["no disk"] });
  });

  test("all mistakes of a file, an unknown service and an empty folder are refused", async () => {
    await using place = await projectPlace();
    const wrong = await place.project(
      "wrong",
      '[project]\nname = "wrong"\n[services.web]\ncomand = "x"',
    );
    const refusal = (await place.up(wrong)).at(-1) as { Error: string };
    expect(refusal.Error).toContain("locald.toml:4");
    expect(refusal.Error).toContain('did you mean "command"');
    const good = await place.project(
      "good",
      `[project]\nname = "good"\n[services.web]\ncommand = "x"`,
    );
    expect((await place.up(good, { services: ["wbe"] })).at(-1)).toEqual({
      Error: 'good has no service "wbe"; did you mean web?',
    });
    const empty = join(place.daemon.directory, "projects");
    expect(((await place.up(empty)).at(-1) as { Error: string }).Error).toContain(
      "localhostess init",
    );
    expect(await place.rows()).toEqual([]);
  });

  test("a service that needs a NAME of its own keeps it, and is routed by the project's", async () => {
    await using place = await projectPlace();
    const toml = `[project]\nname = "named"\n[services.web]\ncommand = """${server.replace("FOO }", "NAME: FOO }")}"""\nenv = { NAME = "its-own" }`;
    expect((await place.up(await place.project("named", toml))).at(-1)).toBe("Ok");
    const { url } = await place.row("named:web");
    const answer = await fetch(url!, { headers: { Host: "named.localhost" } });
    expect(await answer.text()).toBe("its-own");
    const listed = JSON.parse((await place.daemon.run("ls", "--json")).out) as { name: string }[];
    expect(listed.map(({ name }) => name)).toContain("named");
    expect(listed.map(({ name }) => name)).not.toContain("its-own");
  });

  test("two projects of one name, or of one domain, are refused with both paths", async () => {
    await using place = await projectPlace();
    const toml = (name: string, domain: string) =>
      `[project]\nname = "${name}"\ndomain = "${domain}"\n[services.w]\ntype = "worker"\ncommand = "${ticker}"`;
    const first = await place.project("one", toml("shop", "shop.localhost"));
    expect((await place.up(first)).at(-1)).toBe("Ok");
    for (const [folder, name, domain, more] of [
      ["two", "shop", "other.localhost", { name: "shop" }],
      ["three", "other", "shop.localhost", {}],
    ] as const) {
      const directory = await place.project(folder, toml(name, domain));
      const { Error: why } = (await place.up(directory, more)).at(-1) as { Error: string };
      expect(why).toContain(first);
      expect(why).toContain(directory);
    }
    await place.send({ Stop: { name: "shop" } });
    const second = join(place.daemon.directory, "projects", "two");
    expect((await place.up(second, { name: "shop" })).at(-1)).toBe("Ok");
  });
});

test("a cloned repository does not get a name under the domain of a project that is up", async () => {
  await using place = await projectPlace();
  const toml = (name: string, domain: string) =>
    `[project]\nname = "${name}"\ndomain = "${domain}"\n[services.web]\ncommand = """${server}"""\n[services.web.env]\nFOO = "${name}"\n`;
  const shop = await place.project("shop", toml("shop", "shop.localhost"));
  expect((await place.up(shop)).at(-1)).toBe("Ok");
  const clone = await place.project("clone", toml("clone", "api.shop.localhost"));
  const { Error: why } = (await place.up(clone)).at(-1) as { Error: string };
  expect(why).toBe(
    `api.shop.localhost of ${clone} lies under shop.localhost, which is the domain of ${shop}; give one another domain in its locald.toml, or stop shop`,
  );
  // A part of the repository may have a domain of its own.
  const part = await place.project("shop/admin", toml("admin", "admin.shop.localhost"));
  expect((await place.up(part)).at(-1)).toBe("Ok");
  // Nor by a NAME, for that of a service, below it, or beside it.
  const { url } = await place.row("shop:web");
  const told = async (host: string) =>
    await (await fetch(url!, { headers: { Host: `${host}.localhost` } })).text();
  for (const name of ["shop", "x.shop"]) {
    const script = `Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("clone") }); console.log("up")`;
    const child = Bun.spawn([process.execPath, "-e", script], {
      cwd: clone,
      env: { PATH: process.env.PATH!, NAME: name },
      stdout: "pipe",
      detached: true,
    });
    try {
      await child.stdout.getReader().read();
      const listed = JSON.parse((await place.daemon.run("ls", "--json")).out) as {
        pid: number;
        warnings: string[];
      }[];
      const row = listed.find(({ pid }) => pid === child.pid)!;
      expect(row.warnings[0]).toContain("shop is up, and names under shop.localhost are for");
      expect(await told(name)).toBe("shop");
      expect(await told("admin.shop")).toBe("admin");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
  }
  await place.send({ Stop: { name: "shop" } });
  expect((await place.up(clone)).at(-1)).toBe("Ok");
  // And the other way round: the parent of what is up.
  const again = (await place.up(shop)).at(-1) as { Error: string };
  expect(again.Error).toContain("api.shop.localhost of");
}, 120_000);

describe("a daemon that was killed", () => {
  test("in the middle of a hook is followed by one that ends the hook, and runs none for the dead", async () => {
    await using place = await projectPlace();
    const directory = await place.project(
      "shop",
      `[services.job]
type = "worker"
command = "sleep 1000"
before_start = "echo $$ >> begun; test -e go || exec sh -c 'trap true HUP; while :; do sleep 0.1; done'"
after_stop = "echo tidied >> begun"
`,
    );
    const begun = async () => (await readFile(`${directory}/begun`, "utf8")).trim().split("\n");
    void place.up(directory).catch(() => {
      // The daemon that was asked is killed.
    });
    await place.until("shop:job", ({ why }) => why === "runs its before_start");
    const first = async () => (await begun().catch(() => [""]))[0];
    await eventually("the hook runs", async () => Number(await first()) > 0);
    // Changes within 20 ms are written together.
    const written = () => place.state().catch(() => undefined);
    await eventually("it is written down", async () => (await written())?.projects.length === 1);
    const [pid] = await begun();
    const [daemon] = place.daemon.pids();
    endNow(daemon!);
    expect(await isAlive(Number(pid))).toBe(true);
    await writeFile(`${directory}/go`, "");
    await place.daemon.start();
    await place.until("shop:job", ({ ready }) => ready);
    expect(await isAlive(Number(pid))).toBe(false);
    expect((await begun()).length).toBe(2);
    expect(await begun()).not.toContain("tidied");
    await place.send({ Stop: { name: "shop" } });
    expect((await begun()).at(-1)).toBe("tidied");
  }, 120_000);

  test("is followed by one that ends what is left, and starts what should run, once", async () => {
    await using place = await projectPlace();
    const directory = await place.project("shop", shop());
    await place.up(directory);
    await place.send({ Stop: { name: "shop:cron" } });
    const before = await place.rows();
    const state = await place.state();
    expect(Object.keys(state.projects[0]!.runs).sort()).toEqual(["api", "web"]);
    const [daemon] = place.daemon.pids();
    endNow(daemon!);
    // Those on a terminal may end with it; the test below has some that do not.
    const old = before.flatMap(({ pid }) => pid ?? []);
    expect(old).toHaveLength(2);
    await place.daemon.start();
    const api = await place.until("shop:api", ({ ready }) => ready);
    const web = await place.until("shop:web", ({ ready }) => ready);
    expect(await Promise.all(old.map(isAlive))).toEqual([false, false]);
    const port = (id: string) => before.find(({ name }) => name === id)!.port;
    expect([api.port, web.port]).toEqual([port("shop:api"), port("shop:web")]);
    expect(await place.row("shop:cron")).toMatchObject({ state: "stopped" });
    const listens = `listening on ${api.port}`;
    const without = expect.stringMatching(/^\[localhostess\] runs without the environment /);
    expect(await place.logs("shop:api")).toEqual([listens, without, listens]);
  }, 120_000);

  test("ends those who have written a title over their environment, and spares a stranger", async () => {
    await using place = await projectPlace();
    // A child in a session of its own, one that forked twice, and itself; none of them ends with the terminal.
    const title = `'$SIG{HUP} = "IGNORE"; $0 = "titled " x 600; if (!fork) { POSIX::setsid(); sleep 1000 } if (!fork) { POSIX::setsid(); exit if fork; sleep 1000 } sleep 1000'`;
    const toml = (name: string) =>
      `[project]\nname = "${name}"\n[services.cron]\ntype = "worker"\ncommand = """exec perl -MPOSIX -e ${title}"""\n`;
    const titled = await place.project("titled", toml("titled"));
    await place.up(titled);
    const kept = async (): Promise<number[]> => {
      const { projects, strays = [] } = (await place.state()) as unknown as {
        projects: { runs: Record<string, { members: { pid: number }[] }> }[];
        strays?: { pid: number }[];
      };
      const members = projects.flatMap(({ runs }) =>
        Object.values(runs).flatMap((run) => run.members),
      );
      return [...members, ...strays].map(({ pid }) => pid);
    };
    await eventually("the state has all three", async () => (await kept()).length === 3);
    const old = await kept();
    const [daemon] = place.daemon.pids();
    endNow(daemon!);
    await eventually("it has ended", () => place.daemon.pids().length === 0);
    expect(await Promise.all(old.map(isAlive))).toEqual([true, true, true]);
    const path = join(place.daemon.directory, "state.json");
    const state = JSON.parse(await readFile(path, "utf8"));
    const stranger = Bun.spawn(["sleep", "1000"], { detached: true });
    state.projects[0].runs.cron.members.push({ pid: stranger.pid, birth: 1 });
    await place.write(path, JSON.stringify(state));
    await place.daemon.start();
    await place.until("titled:cron", ({ ready }) => ready);
    expect(await Promise.all(old.map(isAlive))).toEqual([false, false, false]);
    expect(await isAlive(stranger.pid)).toBe(true);
    stranger.kill("SIGKILL");
    await stranger.exited;
    await eventually("the state has the next three", async () => {
      const now = await kept();
      return now.length === 3 && !now.some((pid) => old.includes(pid));
    });
    const next = await kept();
    const stopped = await place.daemon.run("stop", "--all");
    expect(stopped.code).toBe(0);
    expect(await Promise.all(next.map(isAlive))).toEqual([false, false, false]);
  }, 120_000);

  test("before it could write of a process: it is found by its run id, and a stranger is spared", async () => {
    await using place = await projectPlace();
    const directory = await place.project("shop", shop());
    await place.up(directory);
    const rows = await place.rows();
    const [daemon] = place.daemon.pids();
    endNow(daemon!);
    // As if the last writes had not come to the disk, and a pid had been given to another.
    const path = join(place.daemon.directory, "state.json");
    const state = JSON.parse(await readFile(path, "utf8"));
    const stranger = Bun.spawn(["sleep", "1000"], { detached: true });
    // Pids and births of another boot are anybody's.
    const birth = parseProcStat(await readFile(`/proc/${stranger.pid}/stat`, "utf8"))!.startTicks;
    state.boot = "another";
    state.strays = [{ pid: stranger.pid, birth }];
    state.projects[0].runs = {
      api: {
        pid: stranger.pid,
        birth,
        members: [{ pid: stranger.pid, birth }],
        startedAt: Date.now(),
        runId: `${state.key}${"0".repeat(32)}`,
        signal: "SIGKILL",
        timeout: 1000,
      },
    };
    await place.write(path, JSON.stringify(state));
    await place.daemon.start();
    await place.until("shop:web", ({ ready }) => ready);
    expect(await Promise.all(rows.map(({ pid }) => isAlive(pid!)))).toEqual([false, false, false]);
    expect(await isAlive(stranger.pid)).toBe(true);
    stranger.kill("SIGKILL");
    await stranger.exited;
  }, 120_000);

  test("with a state.json that was torn: it is kept aside and told of", async () => {
    await using place = await projectPlace();
    await place.up(await place.project("shop", shop()));
    const pids = (await place.rows()).map(({ pid }) => pid!);
    const [daemon] = place.daemon.pids();
    endNow(daemon!);
    const path = join(place.daemon.directory, "state.json");
    const torn = (await readFile(path, "utf8")).slice(0, 100);
    await place.write(path, torn);
    await place.daemon.start();
    await place.send("RegistryList");
    const aside = (await readdir(place.daemon.directory)).find((name) => name.includes(".broken-"));
    expect(await readFile(join(place.daemon.directory, aside!), "utf8")).toBe(torn);
    const log = await readFile(join(place.daemon.directory, "daemon.log"), "utf8");
    expect(log).toContain("it is kept as");
    expect(await place.rows()).toEqual([]);
    for (const pid of pids) endNow(pid);
  }, 120_000);
});

test("a daemon that is replaced hands over: no service runs twice, and none is lost", async () => {
  await using place = await projectPlace();
  // It takes a while to end, and would find its port taken where two ran at once.
  const slow = `trap "sleep 1; exit 0" TERM; ${ticker}`;
  const directory = await place.project(
    "shop",
    shop(`[services.slow]\ntype = "worker"\npty = false\ncommand = '''${slow}'''`),
  );
  await place.up(directory);
  const before = (await place.rows()).map(({ pid }) => pid!);
  const restarted = await place.daemon.run("server", "restart", "--port", "0");
  expect(restarted.code).toBe(0);
  for (const id of ["shop:web", "shop:api", "shop:cron", "shop:slow"]) {
    await place.until(id, ({ ready }) => ready);
  }
  const after = (await place.rows()).map(({ pid }) => pid!);
  if (process.platform === "linux") {
    // The same processes, on whatever port the daemon is.
    expect(after).toEqual(before);
    return;
  }
  expect(before.some((pid) => after.includes(pid))).toBe(false);
  expect(await Promise.all(before.map(isAlive))).toEqual([false, false, false, false]);
}, 120_000);

test("server stop ends services, and the next start brings them back", async () => {
  await using place = await projectPlace();
  await place.up(await place.project("shop", shop()));
  const before = (await place.rows()).map(({ pid }) => pid!);
  expect((await place.daemon.run("server", "stop")).code).toBe(0);
  expect(await Promise.all(before.map(isAlive))).toEqual([false, false, false]);
  await place.daemon.start();
  await place.until("shop:web", ({ ready }) => ready);
}, 120_000);

describe("files that change", () => {
  test("change what they are about, and nothing else; a mistake changes nothing and is told", async () => {
    await using place = await projectPlace();
    const directory = await place.project("shop", shop());
    await place.up(directory);
    const before = new Map((await place.rows()).map(({ name, pid }) => [name, pid]));
    await place.write(
      join(directory, "locald.toml"),
      shop()
        .replace("echo tick", "echo tock")
        .concat('[services.mail]\ntype = "worker"\ncommand = "sleep 100"'),
    );
    await place.until("shop:mail", ({ ready }) => ready);
    const cron = await place.until(
      "shop:cron",
      ({ ready, pid }) => ready && pid !== before.get("shop:cron"),
    );
    expect(cron.command).toContain("tock");
    expect((await place.row("shop:web")).pid).toBe(before.get("shop:web")!);

    // An editor that writes a new file in its place.
    const other = join(directory, "new");
    await place.write(other, "[project]\nname = 7");
    await rename(other, join(directory, "locald.toml"));
    const warned = await place.until("shop:web", ({ warnings }) => warnings.length > 0);
    expect(warned.warnings[0]).toContain("locald.toml:2");
    expect(warned.pid).toBe(before.get("shop:web")!);
    expect((await place.logs("shop:web")).at(-1)).toContain("not reloaded: locald.toml:2");

    await place.write(join(directory, "locald.toml"), shop());
    await place.until("shop:web", ({ warnings }) => warnings.length === 0);
    await place.gone("shop:mail");
    expect((await place.row("shop:web")).pid).toBe(before.get("shop:web")!);

    await place.write(join(directory, ".env"), "FOO=from-the-file\n");
    const web = await place.until(
      "shop:web",
      ({ ready, pid }) => ready && pid !== before.get("shop:web"),
    );
    const answer = await fetch(web.url!, { headers: { Host: "shop.localhost" } });
    expect(await answer.text()).toBe("from-the-file");
  }, 120_000);

  test("under `watch` restart their service", async () => {
    await using place = await projectPlace();
    const toml = `[project]\nname = "shop"\n[services.cron]\ntype = "worker"\ncommand = "${ticker}"\nwatch = ["src/**/*.py"]`;
    const directory = await place.project("shop", toml);
    await Bun.$`mkdir -p ${join(directory, "src/deep")}`;
    await place.up(directory);
    const { pid } = await place.row("shop:cron");
    await place.write(join(directory, "src/deep/notes.txt"), "no");
    await place.write(join(directory, "src/deep/a.py"), "yes");
    const row = await place.until("shop:cron", (its) => its.ready && its.pid !== pid);
    expect(row.restarts).toBe(0);
  });
});

describe("logs", () => {
  test("of several services come by time, the last so many, and then as they are printed", async () => {
    await using place = await projectPlace();
    const directory = await place.project("shop", shop());
    await place.up(directory);
    const { registration } = (await place.daemon.find()) as { registration: { socket: string } };
    const request = { Logs: { services: ["shop:cron", "shop:api"], mode: "follow", tail: 2 } };
    const lines: JsonForm<OutputLine>[] = [];
    for await (const line of follow(registration.socket, request)) {
      lines.push(JSON.parse(line));
      if (lines.length === 6) break;
    }
    expect(new Set(lines.map(({ service }) => service)).has("shop:web")).toBe(false);
    const times = lines.map(({ time }) => time);
    expect(times).toEqual([...times].sort());
    expect(lines.at(-1)).toMatchObject({ service: "shop:cron", stream: "stdout", message: "tick" });
    const since = await place.lines<JsonForm<OutputLine>>({
      Logs: { project: "shop", since: times.at(-1)! },
    });
    expect(since.every(({ time }) => time >= times.at(-1)!)).toBe(true);
  });

  test("of a flood reach a follower to the last line, with a word for each gap", async () => {
    await using place = await projectPlace();
    const toml =
      '[project]\nname = "shop"\n[services.flood]\ntype = "worker"\nrestart = "no"\ncommand = "sleep 2; seq 1 300000; sleep 100"';
    const directory = await place.project("shop", toml);
    const { registration } = (await place.daemon.find()) as { registration: { socket: string } };
    await place.up(directory);
    let last = 0;
    for await (const line of follow(registration.socket, {
      Logs: { service: "shop:flood", mode: "follow" },
    })) {
      const { message } = JSON.parse(line) as OutputLine;
      const gap = /^\[localhostess\] (\d+) lines are not shown/.exec(message);
      if (gap !== null) last += Number(gap[1]);
      else {
        expect(Number(message)).toBe(last + 1);
        last += 1;
      }
      if (last === 300_000) break;
    }
    expect(last).toBe(300_000);
    const file = await readFile(join(place.daemon.directory, "logs/shop/flood.log"), "utf8");
    expect(file.split("\n").at(-2)).toEndWith(" stdout 300000");
  }, 120_000);
});

test("the registry knows projects, pins them, and a pinned one comes up with the daemon", async () => {
  await using place = await projectPlace();
  const toml = (name: string) =>
    `[project]\nname = "${name}"\n[services.w]\ntype = "worker"\ncommand = "sleep 100"`;
  const pinned = await place.project("pinned", toml("pinned"));
  const gone = await place.project("gone", toml("gone"));
  await place.up(gone);
  await place.send({ Stop: { name: "gone" } });
  expect(await place.send<string>({ RegistryPin: { project_path: pinned } })).toBe("Ok");
  await rename(gone, `${gone}-moved`);
  expect(await place.send<unknown>("RegistryClean")).toEqual({ RegistryCleaned: 1 });
  const { RegistryList } = await place.send<{ RegistryList: unknown[] }>("RegistryList");
  expect(RegistryList).toEqual([
    { path: pinned, name: "pinned", pinned: true, last_seen: expect.anything(), folder: "here" },
  ]);
  expect((await place.daemon.run("server", "stop")).code).toBe(0);
  await place.daemon.start();
  await place.until("pinned:w", ({ ready }) => ready);
  expect(place.send({ RegistryPin: { project_path: "/nowhere" } })).rejects.toThrow("no project");
}, 120_000);

test("a lazy service starts with its first request, ends after quiet, and starts again", async () => {
  await using place = await projectPlace();
  // Servers of other tests may have a plain name at the same time.
  const name = `lazy-${crypto.randomUUID().slice(0, 8)}`;
  const toml = `[project]\nname = "${name}"\n[services.web]\ncommand = """${server}"""\nlazy = true\nidle_timeout = 1`;
  const directory = await place.project(name, toml);
  expect((await place.up(directory)).at(-1)).toBe("Ok");
  const row = await place.row(`${name}:web`);
  expect(row).toMatchObject({ state: "stopped", lazy: true });
  const ask = async () => {
    const answer = await fetch(row.url!, { headers: { Host: `${name}.localhost` } });
    return [answer.status, await answer.text()] as const;
  };
  expect(await ask()).toEqual([200, "none"]);
  await place.until(`${name}:web`, ({ state }) => state === "stopped");
  expect(await ask()).toEqual([200, "none"]);
  await place.send({ Stop: { name } });
  expect((await ask())[0]).toBe(503);
});

test("a stop of what does not exist is an error, and names lead to services in three ways", async () => {
  await using place = await projectPlace();
  const directory = await place.project("shop", shop());
  await place.up(directory);
  expect(place.send({ Stop: { name: "nosuch" } })).rejects.toThrow('no service is named "nosuch"');
  expect(place.send({ Stop: { name: "corn" } })).rejects.toThrow("did you mean cron?");
  expect(await place.send<string>({ Stop: { name: "cron" } })).toBe("Ok");
  expect(await place.send<string>({ Stop: { name: "shop:web" } })).toBe("Ok");
  expect(await place.row("shop:api")).toMatchObject({ ready: true });
  expect(await place.send<string>({ Stop: { project_path: directory } })).toBe("Ok");
  expect((await place.rows()).map(({ state }) => state)).toEqual(Array(3).fill("stopped"));
});

test("a lazy service that ends after each request answers each; one that failed is mended by its file and up", async () => {
  await using place = await projectPlace();
  const once = `exec bun -e 'const its = Bun.serve({ port: process.env.PORT, hostname: "127.0.0.1", fetch() { setTimeout(() => its.stop(), 20); return new Response("here", { headers: { Connection: "close" } }); } })'`;
  const toml = (command: string) =>
    `[project]\nname = "once"\n[services.api]\nlazy = true\nrestart = "no"\ncommand = ${JSON.stringify(command)}\n`;
  const directory = await place.project("once", toml(once));
  await place.up(directory);
  const found = await place.daemon.find();
  if (found.kind !== "healthy") throw new Error(found.kind);
  const ask = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${found.registration.port}/`, {
      headers: { Host: "api.once.localhost" },
      keepalive: false,
    });
  for (let n = 0; n < 3; n++) {
    expect(await (await ask()).text()).toBe("here");
    await place.until("once:api", ({ state }) => state === "exited");
  }
  await place.write(join(directory, "locald.toml"), toml("exit 3"));
  await place.up(directory);
  expect((await ask()).status).toBe(503);
  expect((await place.row("once:api")).state).toBe("exited");
  await place.write(join(directory, "locald.toml"), toml(once));
  await place.up(directory);
  await place.until("once:api", ({ state }) => state === "stopped");
  expect(await (await ask()).text()).toBe("here");
}, 120_000);

test.skipIf(!canBeOther)(
  `what is ready by its pattern gets no requests before it listens itself, though another user has its port ${asRoot}`,
  async () => {
    await using place = await projectPlace();
    const directory = await place.project(
      "shop",
      `[project]\nname = "shop"\n[services.web]\nready_pattern = "listening"\ncommand = """echo listening; until test -f go; do sleep 0.05; done; ${server}"""\n`,
    );
    await place.up(directory);
    const row = await place.until("shop:web", ({ ready }) => ready);
    const other = await otherListener(row.port!);
    const answer = fetch(row.url!, { headers: { Host: "shop.localhost" } });
    // Long enough for a look at the machine, after which it would be dialled.
    await place.send("Services");
    await other[Symbol.asyncDispose]();
    await place.write(join(directory, "go"), "");
    expect(await (await answer).text()).toBe("none");
    expect(other.heard()).toBe("");
  },
  120_000,
);

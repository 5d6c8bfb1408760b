/**
 * A real manager of systemd for one user -> the service's whole life there: installed, reloaded, killed, restarted,
 * uninstalled, with a supervised project whose processes have to go on. Run as root, with cgroup v2:
 *
 *     bun test/soak/service-systemd.ts [rounds]
 *
 * The manager runs in namespaces of its own (mounts, pids, cgroups, network): nothing of this machine is touched.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { unitName } from "../../src/boot/unit-text.ts";

const root = resolve(import.meta.dir, "../..");
const [rounds = "3", inside] = process.argv.slice(2);

if (inside === undefined) process.exit(await outside());
await within(inside, Number(rounds));

/** Where cgroup v2 is mounted on machines that have it beside version 1, and where it is alone. */
function unified(): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  const found = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  if (found === undefined) throw new Error("cgroup v2 is not mounted");
  return found;
}

async function outside(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), "localhostess-systemd-"));
  const group = join(unified(), `localhostess-${process.pid}`);
  mkdirSync(group);
  const script = `
    ip link set lo up && mount --make-rprivate / && mount -t proc proc /proc
    umount -R /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 none /sys/fs/cgroup || exit 90
    mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user/0 && chmod 700 /run/user/0
    touch /run/console && mount --bind /run/console /dev/console 2>/dev/null
    exec ${process.execPath} ${import.meta.path} ${rounds} ${home}`;
  try {
    const child = Bun.spawn(
      [
        "sh",
        "-c",
        `echo $$ > ${group}/cgroup.procs; exec unshare -m -p -C -n --fork sh -c '${script}'`,
      ],
      {
        env: {
          PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
          HOME: home,
          XDG_RUNTIME_DIR: "/run/user/0",
          USER: "root",
          SHELL: "/bin/sh",
        },
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
      },
    );
    return await child.exited;
  } finally {
    for (const below of ["app.slice", "init.scope", ""]) {
      // Empty by now: the first process of the pid namespace has ended, and everything with it.
      await Bun.sleep(50);
      try {
        rmdirSync(join(group, below));
      } catch {
        // It was never made.
      }
    }
    rmSync(home, { recursive: true, force: true });
  }
}

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn(words, { stdin: "ignore", stdout: "pipe", stderr: "pipe", cwd: "/" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, err };
}

async function ours(...words: string[]): Promise<string> {
  const { code, out, err } = await run(join(root, "bin/localhostess"), ...words);
  if (code !== 0)
    throw new Error(`localhostess ${words.join(" ")} ended with ${code}:\n${out}${err}`);
  return out;
}

async function shown(): Promise<Record<string, string>> {
  const { out } = await run(
    ...["systemctl", "--user", "show", unitName, "-p"],
    "MainPID,ActiveState,SubState,NRestarts,StatusText,UnitFileState,Result",
  );
  return Object.fromEntries(
    out
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 600; waited++) {
    if (await check()) return;
    await Bun.sleep(100);
  }
  throw new Error(`${what}: not within a minute; ${JSON.stringify(await shown())}`);
}

function equal(what: string, has: unknown, wanted: unknown): void {
  if (Bun.deepEquals(has, wanted)) return;
  throw new Error(`${what}: ${JSON.stringify(has)}, not ${JSON.stringify(wanted)}`);
}

async function daemonPid(): Promise<number> {
  return (JSON.parse(await ours("server", "status", "--json")) as { pid: number }).pid;
}

async function servicePid(): Promise<number> {
  const rows = JSON.parse(await ours("status", "--json")) as { pid?: number; state?: string }[];
  return rows.find(({ state }) => state === "ready" || state === "running")?.pid ?? -1;
}

/** Sends requests all the time; counts what is lost. */
function load(port: number) {
  const lost: string[] = [];
  let sent = 0;
  let over = false;
  const done = (async () => {
    while (!over) {
      sent++;
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/`, {
          headers: { Host: "shop.localhost", Connection: "close" },
        });
        const text = await answer.text();
        if (answer.status !== 200 || text !== "hello")
          lost.push(`${answer.status} ${text.slice(0, 80)}`);
      } catch (error) {
        lost.push((error as Error).message);
      }
      await Bun.sleep(20);
    }
  })();
  return {
    async end() {
      over = true;
      await done;
      return { sent, lost };
    },
  };
}

async function within(home: string, count: number): Promise<void> {
  const say = (text: string): void =>
    console.log(`${(performance.now() / 1000).toFixed(1)} s  ${text}`);
  const project = join(home, "shop");
  mkdirSync(project, { recursive: true });
  mkdirSync(join(home, ".config/localhostess"), { recursive: true });
  const port = 9090;
  writeFileSync(
    join(home, ".config/localhostess/config.toml"),
    `port = ${port}\nhttp_port = "off"\nhttps_port = "off"\ncontainers = false\n`,
  );
  writeFileSync(
    join(project, "locald.toml"),
    `[project]\nname = "shop"\n[services.web]\ncommand = "${process.execPath} web.ts"\n`,
  );
  writeFileSync(
    join(project, "web.ts"),
    'Bun.serve({ port: Number(process.env.PORT), fetch: () => new Response("hello") });\n',
  );
  const systemd = Bun.spawn(["/usr/lib/systemd/systemd", "--user"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(join(home, "systemd.log")),
  });
  await until(
    "the manager listens",
    async () => (await run("test", "-S", "/run/user/0/systemd/private")).code === 0,
  );
  try {
    await whole({ say, project, port, count });
    say("all of it as it should be");
  } catch (error) {
    console.log((error as Error).message);
    console.log((await run("tail", "-30", join(home, ".local/state/localhostess/daemon.log"))).out);
    console.log((await run("tail", "-30", join(home, "systemd.log"))).out);
    process.exitCode = 1;
  }
  systemd.kill();
  await systemd.exited;
}

type Whole = { say(text: string): void; project: string; port: number; count: number };

async function whole({ say, project, port, count }: Whole): Promise<void> {
  // A daemon that runs already is taken over, with its project.
  await ours("server", "start", "--detach");
  await ours("up", project);
  await ours("registry", "pin", project);
  const first = await servicePid();
  const before = load(port);
  await ours("service", "install");
  equal("lost while the service took over", (await before.end()).lost, []);
  equal("the service's process", await servicePid(), first);
  let its = await shown();
  equal(
    "the unit",
    [its.ActiveState, its.UnitFileState, Number(its.MainPID)],
    ["active", "enabled", await daemonPid()],
  );
  say(`installed, pid ${its.MainPID} has taken over: ${its.StatusText}`);

  for (let round = 0; round < count; round++) {
    for (const way of ["server restart", "systemctl reload"] as const) {
      const requests = load(port);
      const old = Number((await shown()).MainPID);
      if (way === "server restart") await ours("server", "restart");
      else
        equal("reload", await run("systemctl", "--user", "reload", unitName), {
          code: 0,
          out: "",
          err: "",
        });
      await until(
        "the unit follows",
        async () => Number((await shown()).MainPID) === (await daemonPid()),
      );
      its = await shown();
      if (Number(its.MainPID) === old) throw new Error(`${way}: the daemon is the one before`);
      equal(
        "restarts by systemd",
        [its.ActiveState, its.SubState, its.NRestarts],
        ["active", "running", "0"],
      );
      equal("the service's process", await servicePid(), first);
      const { sent, lost } = await requests.end();
      equal(`lost of ${sent}`, lost, []);
      say(
        `${way}: pid ${old} -> ${its.MainPID}, ${sent} requests, none lost, the service is still ${first}`,
      );
    }
  }

  const main = Number((await shown()).MainPID);
  process.kill(main, "SIGKILL");
  await until("systemd starts it again", async () => {
    const now = await shown();
    return now.ActiveState === "active" && Number(now.MainPID) !== main && now.NRestarts === "1";
  });
  await until("the project is up again", async () => (await servicePid()) > 0);
  say(`killed: started again as ${(await shown()).MainPID}`);

  const service = await servicePid();
  process.kill(service, "SIGKILL");
  await until("the service is started again", async () => {
    const now = await servicePid();
    return now > 0 && now !== service;
  });
  equal("the unit does not mind", (await shown()).NRestarts, "1");
  say("a service that is killed is the daemon's matter");

  equal("restart", (await run("systemctl", "--user", "restart", unitName)).code, 0);
  await until("the pinned project comes up", async () => (await servicePid()) > 0);
  say("systemctl restart: all ended, and is up again");

  await ours("server", "stop");
  await until("inactive", async () => (await shown()).ActiveState === "inactive");
  await ours("server", "start", "--detach");
  its = await shown();
  equal(
    "started through the manager",
    [its.ActiveState, Number(its.MainPID)],
    ["active", await daemonPid()],
  );
  say("server stop, server start --detach: through the manager");

  // A person's daemon in a terminal takes over from the unit's: systemd neither kills nor starts anything.
  await until("up", async () => (await servicePid()) > 0);
  const kept = await servicePid();
  // Below a shell: a child of the first process is taken for that of a container, and stays.
  const words = ["sh", "-c", '"$0" server start; true', join(root, "bin/localhostess")];
  const front = Bun.spawn(words, {
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await until("the unit has ended", async () => (await shown()).ActiveState === "inactive");
  await until("the one in front answers", async () => (await daemonPid()) !== Number(its.MainPID));
  equal("no failure", (await shown()).Result, "success");
  equal("its services go on", await servicePid(), kept);
  equal("start", (await run("systemctl", "--user", "start", unitName)).code, 0);
  await front.exited;
  equal("and go on after that", await servicePid(), kept);
  say("a daemon in a terminal takes over, and gives back");

  equal("status", (await run(join(root, "bin/localhostess"), "service", "status")).code, 0);
  await ours("service", "uninstall");
  its = await shown();
  equal("uninstalled", [its.ActiveState, its.UnitFileState], ["inactive", ""]);
  equal("nothing runs", (await run("pgrep", "-f", "web.ts")).out, "");
  say("uninstalled");
}

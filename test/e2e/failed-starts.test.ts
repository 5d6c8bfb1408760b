/** Starts that fail for a reason outside the service, with the real daemon: what is told, and what comes of them. */
import { expect, test } from "bun:test";
import { realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { daemonPlace } from "../support/daemon-place.ts";
import { projectPlace, server } from "../support/project-place.ts";
import { freePort } from "../support/servers.ts";

const patience = 120_000;

function project(name: string, port: number): string {
  return `[project]\nname = "${name}"\n[services.web]\ncommand = """${server}"""\nport = ${port}\n`;
}

test(
  "a declared port that a stranger has is told of with its name, pid and command; the service starts when it is free",
  async () => {
    await using place = await projectPlace();
    for (const hostname of ["127.0.0.1", "::1", "0.0.0.0"]) {
      const holder = Bun.listen({ hostname, port: 0, socket: { data() {} } });
      const { port } = holder;
      const name = `held-${hostname.replace(/[.:]+/g, "x")}`;
      const directory = await place.project(name, project(name, port));
      const lines = await place.up(directory);
      const { Error: reason } = lines.at(-1) as { Error: string };
      expect(reason).toStartWith(`${name}:web cannot have its port ${port}: `);
      expect(reason).toContain(`(pid ${process.pid}) listens on `);
      expect(reason).toContain("bun");
      expect(await place.row(`${name}:web`)).toMatchObject({ state: "backoff", restarts: 0 });
      holder.stop(true);
      await place.until(`${name}:web`, ({ ready }) => ready);
      await place.send({ Stop: { name } });
    }
  },
  patience,
);

test(
  "a declared port that another project has is told of with the command that frees it",
  async () => {
    await using place = await projectPlace();
    const port = freePort();
    const [first, second] = [
      await place.project("first", project("first", port)),
      await place.project("second", project("second", port)),
    ];
    expect((await place.up(first)).at(-1)).toBe("Ok");
    const { Error: reason } = (await place.up(second)).at(-1) as { Error: string };
    expect(reason).toStartWith(`second:web cannot have its port ${port}: first:web (pid `);
    expect(reason).toEndWith("localhostess stop first:web");
    // The daemon itself is told the same of a port that it cannot have.
    const start = ["server", "start", "--port", String(port)];
    const { code, err } = await place.daemon.run(...start);
    expect({ code, err }).toMatchObject({ code: 1 });
    expect(err).toMatch(
      new RegExp(
        `port ${port} is in use by first:web, pid \\d+: .*, in ${first};.*: localhostess stop first:web\n`,
      ),
    );
    await place.send({ Stop: { name: "first:web" } });
    await place.until("second:web", ({ ready }) => ready);
    // A restart has the port of the process that it ends, which is no stranger.
    await place.lines({ Restart: { name: "second:web" } });
    expect(await place.row("second:web")).toMatchObject({ ready: true, warnings: [] });
  },
  patience,
);

/** Only root, and not in every container, may mount. */
const canMount =
  process.getuid?.() === 0 &&
  Bun.which("unshare") !== null &&
  Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;

test.skipIf(!canMount)(
  "a state directory that can be written no more is told of, and services still end (as root, with unshare)",
  async () => {
    await using place = await daemonPlace();
    const state = realpathSync(place.directory);
    const program = join(import.meta.dir, "../../src/main.ts");
    const script = `
      mkdir "$2" && cd "$2" && mkdir .git
      printf '[services]\\njobs = { type = "worker", command = "exec sleep 1000" }\\n' > locald.toml
      L() { "$0" "$program" "$@"; }
      # A mount in whose files somebody writes cannot be made read-only, one beside it can, and is moved on top of it.
      mkdir "$2/shut"
      shut() { mount --bind "$1" shut && mount -o remount,ro,bind shut && mount --move shut "$1"; }
      shut "$1"
      L server start --detach; echo "start $?"
      umount "$1"
      L server start --detach >/dev/null 2>&1; L up; echo "up $?"
      shut "$1"
      L stop; echo "stop $?"
      L up; echo "up again $?"
      umount "$1"
      L up; echo "up at last $?"
      L stop; L server stop
    `;
    await using child = Bun.spawn(
      ["unshare", "-m", "/bin/sh", "-c", script, process.execPath, state, `${state}-p`],
      {
        env: {
          ...place.env,
          PATH: process.env.PATH,
          program,
          HOME: state,
          LOCALHOSTESS_PORT: String(freePort()),
        },
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    rmSync(`${state}-p`, { recursive: true, force: true });
    const said = out.split("\n").filter((line) => /^[a-z ]+ \d$/.test(line));
    expect({ said, err }).toMatchObject({
      said: ["start 1", "up 0", "stop 0", "up again 1", "up at last 0"],
    });
    expect(err).toContain("daemon.log cannot be written: its file system is read-only (EROFS)");
    expect(err).toContain("could not be started: no socket can be created in ");
    expect(err).toContain("LOCALHOSTESS_STATE_DIR chooses another folder");
  },
  patience,
);

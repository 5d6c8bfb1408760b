/**
 * What else may lie in the state directory: none of it is believed, none of it costs anybody a process or the
 * credential.
 */
import { describe, expect, test } from "bun:test";
import { chmod, chown, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { credentialPath, ensureCredential } from "../../src/control/found/credential.ts";
import { protocol, type Registration } from "../../src/control/found/protocol.ts";
import { registrationPath, writeRegistration } from "../../src/control/found/registration.ts";
import { daemonInFront } from "../cli/cli.ts";
import { type DaemonPlace, daemonPlace, endNow } from "../support/daemon-place.ts";
import { squatter } from "../support/squatter.ts";
import { eventually } from "../support/eventually.ts";

const patience = 120_000;

/** Every command that asks who runs, and those that start or stop it. */
const asking = [["server", "status"], ["ls"], ["pac"], ["server", "stop"]];
const starting = [
  ["server", "start", "--detach", "--port", "0"],
  ["server", "restart", "--port", "0"],
];

function recordOf(its: Partial<Registration>): Registration {
  return {
    id: "planted",
    version: "0.1.0",
    url: "http://127.0.0.1:1",
    pid: 1,
    protocol,
    startedAt: 0,
    socket: "/nonexistent/daemon.sock",
    port: 65_000,
    tlds: [],
    ...its,
  };
}

async function plant(place: DaemonPlace, its: Partial<Registration>): Promise<string> {
  const { value } = await ensureCredential(place.directory);
  await writeRegistration(place.directory, recordOf(its));
  return value;
}

/** A process of ours that no daemon is. */
function bystander() {
  const child = Bun.spawn(["sleep", "600"], { detached: true });
  return {
    pid: child.pid,
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    async [Symbol.asyncDispose]() {
      endNow(child.pid);
      await child.exited;
    },
  };
}

const all = [...asking, ...starting];

test(
  "a foreign process on the recorded port is told nothing by any command, and is in nobody's way",
  async () => {
    await using place = await daemonPlace();
    await using victim = bystander();
    for (const args of all) {
      using stranger = squatter();
      const url = `http://127.0.0.1:${stranger.port}`;
      const credential = await plant(place, { url, pid: victim.pid });
      const { code, err } = await place.run(...args);
      expect({ args, code, err }).toMatchObject({ code: args.includes("status") ? 1 : 0 });
      expect(stranger.heard()).not.toContain(credential);
    }
    expect(victim.alive).toBe(true);
    expect((await place.find()).kind).toBe("healthy");
  },
  patience,
);

test(
  "a stranger who has read the record and passes on what a daemon would say convinces nobody",
  async () => {
    await using place = await daemonPlace();
    const body = JSON.stringify({ ...recordOf({}), proof: "0".repeat(64) });
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    using stranger = squatter(0, answer);
    const credential = await plant(place, { url: `http://127.0.0.1:${stranger.port}` });
    const { code, out } = await place.run("server", "status");
    expect(code).toBe(1);
    expect(out).toContain("another program has the recorded address");
    expect(stranger.heard()).not.toContain(credential);
  },
  patience,
);

test(
  "a live but unrelated pid in the record is never signalled",
  async () => {
    await using place = await daemonPlace();
    await using victim = bystander();
    for (const args of all) {
      await plant(place, { pid: victim.pid });
      await place.run(...args);
      expect(victim.alive).toBe(true);
    }
    // Also where a daemon of ours runs and only the pid is not its own.
    const registration = await place.start();
    await writeRegistration(place.directory, { ...registration, pid: victim.pid });
    expect((await place.find()).kind).toBe("another");
    await place.run("server", "stop");
    expect(victim.alive).toBe(true);
  },
  patience,
);

const unreadable: [what: string, text: string][] = [
  ["a truncated record", JSON.stringify(recordOf({})).slice(0, 60)],
  ["an empty record", ""],
  ["a record of another host", JSON.stringify(recordOf({ url: "http://192.0.2.1:80" }))],
  [
    "a record of a host that looks like ours",
    JSON.stringify(recordOf({ url: "http://localhost.evil.com:80" })),
  ],
  ["a record of 1 MiB", JSON.stringify({ ...recordOf({}), more: "x".repeat(1024 * 1024) })],
  ["a record of deep lists", "[".repeat(30_000)],
];

for (const [what, text] of unreadable) {
  test(
    `${what} is as good as none`,
    async () => {
      await using place = await daemonPlace();
      await ensureCredential(place.directory);
      await writeFile(registrationPath(place.directory), text, { mode: 0o600 });
      const status = await place.run("server", "status", "--json");
      expect(status.code).toBe(1);
      expect(JSON.parse(status.out).probe).toBe("absent");
      expect((await place.run("ls")).code).toBe(0);
      expect((await place.start()).pid).toBeGreaterThan(1);
    },
    patience,
  );
}

describe("a world-readable credential", () => {
  test(
    "is used by no client, and replaced by the next daemon",
    async () => {
      await using place = await daemonPlace();
      using stranger = squatter();
      const credential = await plant(place, { url: `http://127.0.0.1:${stranger.port}` });
      await chmod(credentialPath(place.directory), 0o644);
      const status = await place.run("server", "status");
      expect(status.out).toContain("others may have read the credential");
      expect(stranger.heard()).toBe("");
      await place.start();
      const text = await readFile(credentialPath(place.directory), "utf8");
      expect(text.trim()).not.toBe(credential);
      expect((await stat(credentialPath(place.directory))).mode & 0o777).toBe(0o600);
    },
    patience,
  );

  for (const [what, spoil] of [
    ["readable by others", (path: string) => chmod(path, 0o644)],
    ["cut in half", (path: string) => writeFile(path, "abc")],
  ] as const) {
    test(
      `that becomes ${what} while a daemon runs is replaced by it within seconds, and it goes on`,
      async () => {
        await using place = await daemonPlace();
        const { pid } = await place.start();
        const path = credentialPath(place.directory);
        const before = await readFile(path, "utf8");
        await spoil(path);
        await eventually("it has replaced it", async () => (await place.find()).kind === "healthy");
        expect(await place.find()).toMatchObject({ kind: "healthy", registration: { pid } });
        expect(await readFile(path, "utf8")).not.toBe(before);
        expect(await readFile(join(place.directory, "daemon.log"), "utf8")).toContain(
          "there is a new one",
        );
      },
      patience,
    );
  }
});

test(
  "without the record, a daemon stands down",
  async () => {
    await using place = await daemonPlace();
    await using daemon = await daemonInFront(place.env);
    await Bun.file(registrationPath(place.directory)).delete();
    expect(await daemon.ended()).toBe(0);
    expect(daemon.output()).toContain("the record removed");
  },
  patience,
);

test(
  "the credential is in no argument list, environment, log or output",
  async () => {
    await using place = await daemonPlace();
    const { pid } = await place.start("--verbose");
    const credential = (await readFile(credentialPath(place.directory), "utf8")).trim();
    const texts = [
      await readFile(`/proc/${pid}/cmdline`, "latin1"),
      await readFile(`/proc/${pid}/environ`, "latin1"),
    ];
    for (const args of [
      ["server", "status", "--json"],
      ["ls", "--verbose"],
      ["server", "restart"],
      ["server", "stop"],
    ]) {
      const { out, err } = await place.run(...args);
      texts.push(out, err);
    }
    texts.push(await readFile(join(place.directory, "daemon.log"), "utf8"));
    for (const text of texts) expect(text).not.toContain(credential);
  },
  patience,
);

test(
  "what a shell has in its environment is not the daemon's for ever",
  async () => {
    await using place = await daemonPlace();
    place.env.SOME_TOKEN = "hush";
    const { pid } = await place.start();
    const environ = await readFile(`/proc/${pid}/environ`, "latin1");
    expect(environ).not.toContain("SOME_TOKEN");
    expect(environ).toContain("PATH=");
  },
  patience,
);

describe("a state directory", () => {
  const refused = async (place: DaemonPlace, wanted: string) => {
    for (const args of [
      ["ls"],
      ["server", "status"],
      ["server", "start", "--port", "0"],
      ["server", "start", "--detach"],
    ]) {
      const { code, err } = await place.run(...args);
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(err).toContain(wanted);
    }
    expect(place.pids()).toEqual([]);
  };

  test(
    "that others may write is refused for its sandboxes too",
    async () => {
      await using place = await daemonPlace();
      await mkdir(join(place.directory, "sandboxes", "ci"), { recursive: true, mode: 0o700 });
      await chmod(place.directory, 0o770);
      const { code, err } = await place.run("--sandbox", "ci", "ls");
      expect(code).toBe(1);
      expect(err).toContain(`chmod 700 ${place.directory}`);
    },
    patience,
  );

  for (const mode of [0o770, 0o707, 0o1777]) {
    test(
      `with mode ${mode.toString(8)} is refused, with the command that mends it`,
      async () => {
        await using place = await daemonPlace();
        await chmod(place.directory, mode);
        await refused(place, `chmod 700 ${place.directory}`);
      },
      patience,
    );
  }

  test.if(process.getuid?.() === 0)(
    "of another user is refused",
    async () => {
      await using place = await daemonPlace();
      await chown(place.directory, 65_534, 65_534);
      await refused(place, "belongs to another user (uid 65534)");
    },
    patience,
  );

  test.if(process.getuid?.() === 0)(
    "that is another user's link to ours is refused",
    async () => {
      await using place = await daemonPlace();
      const [real, link] = [join(place.directory, "real"), join(place.directory, "link")];
      await mkdir(real, { mode: 0o700 });
      await symlink(real, link);
      const { code } = Bun.spawnSync(["chown", "-h", "65534", link]).success
        ? await place.run("ls")
        : { code: 1 };
      expect(code).toBe(0);
      place.env.LOCALHOSTESS_STATE_DIR = link;
      expect((await place.run("ls")).err).toContain("belongs to another user");
    },
    patience,
  );

  test(
    "that nobody chose and others may read is closed to them; one that somebody chose stays as it is",
    async () => {
      await using place = await daemonPlace();
      const chosen = join(place.directory, "chosen");
      await mkdir(chosen, { mode: 0o755 });
      place.env.LOCALHOSTESS_STATE_DIR = chosen;
      expect((await place.run("server", "start", "--detach", "--port", "0")).code).toBe(0);
      expect((await place.run("server", "stop")).code).toBe(0);
      expect((await stat(chosen)).mode & 0o777).toBe(0o755);
      place.env.LOCALHOSTESS_STATE_DIR = undefined;
      place.env.XDG_STATE_HOME = place.directory;
      const own = join(place.directory, "localhostess");
      await mkdir(own, { mode: 0o755 });
      expect((await place.run("server", "start", "--detach", "--port", "0")).code).toBe(0);
      expect((await place.run("server", "stop")).code).toBe(0);
      expect((await stat(own)).mode & 0o777).toBe(0o700);
    },
    patience,
  );
});

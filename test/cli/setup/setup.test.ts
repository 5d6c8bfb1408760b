/** `setup`: every command that root would run, in a root of the test's own; real ones where the test is root. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runAtTerminal } from "../../../src/cli/shared/at-terminal.ts";
import { ownPrograms } from "../../../src/cli/setup/own-programs.ts";
import { hosts } from "../../../src/cli/setup/hosts.ts";
import { ports } from "../../../src/cli/setup/ports.ts";
import type { PartPlan, SetupPlace } from "../../../src/cli/setup/plan.ts";
import { reportOf } from "../../../src/cli/setup/setup-report.ts";
import { rootCommand } from "../../../src/cli/setup/script.ts";
import { usersStep } from "../../../src/cli/setup/users-step.ts";
import { removalPlan, setupPlan } from "../../../src/cli/setup/whole-plan.ts";
import { whose } from "../../../src/cli/setup/whose.ts";
import type { Right } from "../../../src/helper/users.ts";
import type { Machine } from "../../../src/tls/trust/store.ts";
import { inProcess } from "../in-process.ts";

setDefaultTimeout(60_000);

const helper = "/usr/local/libexec/localhostess/localhostess-helper";
/** printf abc | sha256sum */
const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "localhostess-setup-"));
  await chmod(root, 0o755);
  folder = join(root, "ann's package/libexec");
  await mkdir(folder, { recursive: true });
  await mkdir(join(root, "usr/local"), { recursive: true });
  await writeFile(join(folder, "localhostess-helper"), "abc", { mode: 0o755 });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const place = (
  more: Partial<SetupPlace> = {},
  platform: NodeJS.Platform = "linux",
): SetupPlace => ({
  machine: { ...({} as Machine), platform, root },
  uid: 1000,
  version: "1.2.3",
  programs: { kind: "there", folder },
  others: new Set(),
  tlds: [],
  stateDirectory: join(root, "state"),
  bareNames: false,
  names: async () => [],
  ...more,
});

const shown = (text: string) => text.replaceAll(root, "");
const commandsOf = (plan: PartPlan) =>
  (plan.steps ?? []).flatMap((step) => step.commands).map(shown);

const isRoot = process.getuid?.() === 0;

describe("ports", () => {
  test("a copy of root's is checked before it has a right, and only then takes its place", async () => {
    const plan = await ports.look(place());
    expect(plan.kind).toBe(isRoot ? "steps" : "impossible");
    expect(commandsOf(plan)).toEqual([
      "install -d -m 755 -o root -g root /usr/local/libexec/localhostess",
      "touch /usr/local/libexec/localhostess/made-libexec",
      `install -m 700 -o root -g root '/ann'\\''s package/libexec/localhostess-helper' ${helper}.new`,
      `echo '${hash}  ${helper}.new' | sha256sum -c -`,
      `chmod 755 ${helper}.new`,
      `setcap cap_net_bind_service=ep ${helper}.new`,
      `mv -f ${helper}.new ${helper}`,
    ]);
  });

  test("a helper that a package of the system has put there needs its right alone", async () => {
    const own = join(root, "usr/libexec/localhostess");
    await mkdir(own, { recursive: true });
    await writeFile(join(own, "localhostess-helper"), "abc", { mode: 0o755 });
    const plan = await ports.look(place({ programs: { kind: "there", folder: own } }));
    expect(commandsOf(plan)).toEqual([
      "setcap cap_net_bind_service=ep /usr/libexec/localhostess/localhostess-helper",
    ]);
  });

  test("a copy without the program says how it is built, and one that is there can be removed", async () => {
    const programs = { kind: "unbuilt", build: "scripts/build-helper --out x" } as const;
    expect(await ports.look(place({ programs }))).toEqual({
      kind: "impossible",
      why: "this copy of localhostess comes without localhostess-helper",
      fix: "scripts/build-helper --out x",
      steps: [],
    });
    await mkdir(dirname(join(root, helper)), { recursive: true });
    await writeFile(join(root, helper), "old");
    const [step] = (await ports.look(place({ programs }))).steps!;
    expect(step!.removal.map(shown)).toEqual([`rm -f ${helper} ${helper}.new`]);
    expect(step).toMatchObject({ isThere: true, isDone: false, commands: [] });
  });

  test("a folder above it that others may write is no place for it", async () => {
    await chmod(join(root, "usr/local"), 0o775);
    const plan = await ports.look(place());
    expect(plan).toMatchObject({ kind: "impossible", fix: null });
    if (isRoot)
      expect(shown((plan as { why: string }).why)).toStartWith(
        "others than root may write /usr/local,",
      );
  });

  test("macOS, root, and a system where the ports are everybody's need none", async () => {
    expect(await ports.look(place({}, "darwin"))).toEqual({
      kind: "unneeded",
      why: "every user may listen on ports 80 and 443 here",
    });
    expect(await ports.look(place({ uid: 0 }))).toMatchObject({
      kind: "unneeded",
      why: "root may listen on every port",
    });
    const setting = join(root, "proc/sys/net/ipv4/ip_unprivileged_port_start");
    await mkdir(dirname(setting), { recursive: true });
    await writeFile(setting, "80\n");
    expect(await ports.look(place())).toMatchObject({
      kind: "unneeded",
      why: "every user may listen on these ports: net.ipv4.ip_unprivileged_port_start is 80",
    });
  });

  test("a helper that others use stays when one user goes", async () => {
    await mkdir(dirname(join(root, helper)), { recursive: true });
    await writeFile(join(root, helper), "abc");
    const isThere = async (others: Right[]) =>
      (await ports.look(place({ others: new Set(others) }))).steps![0]!.isThere;
    expect(await isThere([])).toBeTrue();
    expect(await isThere(["hosts"])).toBeTrue();
    expect(await isThere(["ports"])).toBeFalse();
  });
});

describe("the user's line", () => {
  const line = (more: Partial<Parameters<typeof usersStep>[0]> = {}) =>
    usersStep({
      ...{ root: "/", uid: 1000, had: new Set(), wanted: new Set<Right>(["ports"]) },
      ...{ hasOthers: false, isTrusted: true },
      ...more,
    });
  const users = "/etc/localhostess/users";
  const others = `grep -Ev '^[[:blank:]]*1000([[:blank:]#]|$)' ${users}`;

  test("is written beside those of others, in a file that takes the old one's place", () => {
    expect(line().commands).toEqual([
      "install -d -m 755 -o root -g root /etc/localhostess",
      `rm -f ${users}.new`,
      `[ -e ${users} ] || echo '# localhostess: users and what they may ask of the helpers' > ${users}`,
      `{ ${others} || [ $? -eq 1 ]; echo '1000 ports'; } > ${users}.new`,
      `mv -f ${users}.new ${users}`,
    ]);
  });

  test("nothing is kept of a file that somebody else could have written", () => {
    expect(line({ isTrusted: false }).commands[1]).toBe(`rm -f ${users} ${users}.new`);
  });

  test("is taken out, and with the last one the files and their folder", () => {
    expect(line({ hasOthers: true }).removal).toEqual([
      `rm -f ${users}.new`,
      `{ ${others} || [ $? -eq 1 ]; } > ${users}.new`,
      `mv -f ${users}.new ${users}`,
    ]);
    expect(line().removal).toEqual([
      `rm -f ${users} ${users}.new /etc/localhostess/domains`,
      "rmdir /etc/localhostess || :",
    ]);
  });

  const step = {
    ...{ id: "x", purpose: "do x", isDone: false, isThere: true },
    ...{ commands: ["x"], removal: ["un-x"] },
  };
  const looked = [
    { part: ports, plan: { kind: "steps", steps: [step], rights: ["ports"] } as const },
  ];
  const now = (...had: Right[]) => ({
    ...{ root: "/", uid: 1000, had: new Set(had), hasOthers: false, isTrusted: true },
  });

  test("comes last, when what it allows has been checked, and keeps what the user had", () => {
    const { due } = setupPlan(looked, now("hosts"));
    expect(due.map(({ purpose }) => purpose)).toEqual([
      "do x",
      "allow user 1000 to ask for ports and hosts",
    ]);
    const done = [
      { ...looked[0]!, plan: { ...looked[0]!.plan, steps: [{ ...step, isDone: true }] } },
    ];
    expect(setupPlan(done, now("ports", "hosts")).due).toEqual([]);
  });

  test("a part counts as set up by its own steps and rights, whatever another one needs", () => {
    const done = { ...step, id: "y", isDone: true };
    const both = [
      { part: ports, plan: { kind: "steps", steps: [done], rights: ["ports"] } as const },
      { part: hosts, plan: { kind: "steps", steps: [step], rights: ["hosts"] } as const },
    ];
    const states = (...had: Right[]) =>
      reportOf(both, setupPlan(both, now(...had))).parts.map(({ state, why }) => [state, why]);
    expect(states("ports")).toEqual([
      ["done", null],
      ["to do", "do x"],
    ]);
    expect(states()).toEqual([
      ["to do", "allow user 1000 to ask for ports and hosts"],
      ["to do", "do x"],
    ]);
  });

  test("a part that is removed takes its right along, and leaves the others'", () => {
    const folder = { path: "/f", isThere: true, isAboveOurs: true };
    const due = (...had: Right[]) =>
      removalPlan(looked, { user: now(...had), folder }).due.map(({ purpose }) => purpose);
    expect(due("ports", "hosts")).toEqual(["undo: do x", "allow user 1000 to ask for hosts"]);
    expect(due("ports")).toEqual([
      "undo: do x",
      "no longer allow user 1000 to ask for ports",
      "remove the folder /f",
    ]);
    const last = removalPlan(looked, { user: now("ports"), folder }).due.at(-1)!;
    expect(last.commands).toEqual(["rm -f /f/made-libexec", "rmdir /f || :", "rmdir / || :"]);
  });
});

describe("whose it is", () => {
  const of = (its: Partial<Parameters<typeof whose>[0]>) =>
    whose({ user: undefined, uid: 1000, sudoUid: undefined, root, ...its });

  test("this user's, or of whoever has become root by sudo, or of the one that root names", async () => {
    expect(await of({})).toBe(1000);
    expect(await of({ uid: 0 })).toBe(0);
    expect(await of({ uid: 0, sudoUid: "1000" })).toBe(1000);
    expect(await of({ sudoUid: "7" })).toBe(1000);
    expect(await of({ uid: 0, user: "7" })).toBe(7);
    await mkdir(join(root, "etc"));
    await writeFile(
      join(root, "etc/passwd"),
      "root:x:0:0::/:/bin/sh\nann:x:1000:1000::/:/bin/sh\n",
    );
    expect(await of({ uid: 0, user: "ann" })).toBe(1000);
    expect(of({ uid: 0, user: "bob" })).rejects.toThrow('/etc/passwd has no user "bob"');
    expect(of({ user: "7" })).rejects.toThrow("only root");
  });
});

test("commands that a signal has ended may have been run, and a program that is not there has run nothing", async () => {
  const ended = (...words: [string, ...string[]]) => runAtTerminal(words);
  expect(await ended("/bin/sh", "-c", "kill -INT $$")).toEqual({ kind: "cut off", by: "SIGINT" });
  expect(await ended("/bin/sh", "-c", "exit 3")).toEqual({ kind: "ended", code: 3 });
  expect(await ended(join(root, "no-sudo"))).toMatchObject({ kind: "failed" });
});

test("sudo gets one command with an environment of its own, and asks only where somebody can answer", () => {
  const script = "set -eu; umask 022; cd /\ntrap '[ $? -eq 0 ] || exit 97' EXIT\na\nb";
  const words = [
    "/usr/bin/env",
    "-i",
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "/bin/sh",
    "-c",
    script,
  ];
  expect(rootCommand(["a", "b"], { sudo: "/x/sudo", mayAsk: true })).toEqual([
    "/x/sudo",
    "--",
    ...words,
  ]);
  expect(rootCommand(["a", "b"], { sudo: "/x/sudo", mayAsk: false })).toEqual([
    "/x/sudo",
    "-n",
    "--",
    ...words,
  ]);
  expect(rootCommand(["a", "b"], { sudo: undefined, mayAsk: true })).toEqual(words as never);
});

test("the programs of a package, of a system's package and of a clone are found beside our own", async () => {
  const has = async (path: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), "");
  };
  await has(`clone/dist/helper/linux-${process.arch}/localhostess-helper`);
  await has("package/libexec/localhostess-helper");
  await has("usr/libexec/localhostess/localhostess-helper");
  const of = (path: string) => ownPrograms(join(root, path));
  expect(of("package/bin/localhostess")).toEqual({
    kind: "there",
    folder: join(root, "package/libexec"),
  });
  expect(of("usr/bin/localhostess")).toEqual({
    ...{ kind: "there", folder: join(root, "usr/libexec/localhostess") },
  });
  expect(of("clone/src/main.ts")).toEqual({
    ...{ kind: "there", folder: join(root, `clone/dist/helper/linux-${process.arch}`) },
  });
  expect(of("bare/src/main.ts")).toEqual({
    kind: "unbuilt",
    build: `${root}/bare/scripts/build-helper --out ${root}/bare/dist/helper`,
  });
});

describe("the verb", () => {
  const run = (...words: string[]) =>
    inProcess(["setup", "--ports", ...words, "--root", root], {
      env: { LOCALHOSTESS_STATE_DIR: join(root, "state") },
    });
  const forAnn = isRoot ? ["--user", "1000"] : [];

  test("--remove where nothing is says so", async () => {
    expect(await run("--remove", "--yes", ...forAnn)).toMatchObject({
      ...{ code: 0, out: "nothing to remove\n" },
    });
  });

  test("--status and --remove exclude each other", async () => {
    expect((await run("--status", "--remove")).code).toBe(2);
  });

  test.skipIf(!isRoot || process.platform !== "linux" || Bun.which("setcap") === null)(
    "a file of the package that is swapped after it was shown gets no right (as root, with setcap)",
    async () => {
      const plan = await ports.look(place());
      await writeFile(join(folder, "localhostess-helper"), "abd");
      const lines = (plan.steps ?? []).flatMap(({ commands }) => commands);
      const [program, ...words] = rootCommand(lines, { sudo: undefined, mayAsk: false });
      const ran = Bun.spawnSync([program, ...words], { stdout: "ignore", stderr: "ignore" });
      expect(ran.exitCode).toBe(97);
      expect(await Bun.file(join(root, helper)).exists()).toBeFalse();
    },
  );
});

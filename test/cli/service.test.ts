/** service install, status and uninstall: the exact calls and files, with stand-ins for systemctl and launchctl. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { environmentText, serviceEnvironment } from "../../src/boot/environment.ts";
import { ownedText, ownershipOf } from "../../src/boot/owned-text.ts";
import { unitText } from "../../src/boot/unit-text.ts";
import { userName } from "../../src/system/user.ts";
import { serviceMachine } from "../support/service-machine.ts";

// Each test starts a dozen shells, on a machine that may be busy.
setDefaultTimeout(60_000);

const unit = ".config/systemd/user/localhostess.service";
const dropIn = `${unit}.d/environment.conf`;
const wanted = ".config/systemd/user/default.target.wants/localhostess.service";
const agent = "Library/LaunchAgents/localhostess.daemon.plist";
const show =
  "systemctl --user show localhostess.service -p LoadState,ActiveState,SubState,UnitFileState,MainPID,FragmentPath,Result,NeedDaemonReload";
const linger = `loginctl show-user ${await userName()} -p Linger --value`;
const reload = "systemctl --user daemon-reload";
const enable = "systemctl --user enable --now localhostess.service";

describe("systemd", () => {
  test("install writes the unit and its environment, and starts it; again, nothing is left to do", async () => {
    await using its = await serviceMachine();
    const { code, out, err } = await its.service("install");
    expect(code).toBe(0);
    expect(await its.calls()).toEqual([show, linger, reload, enable]);
    expect(await its.files()).toEqual([unit, dropIn]);
    expect(its.text(unit)).toBe(ownedText(unitText({ program: its.program })));
    expect(its.text(dropIn)).toBe(ownedText(environmentText(serviceEnvironment(its.env))));
    expect(out).toContain(`write ${its.path(unit)}\n`);
    expect(out).toContain(`systemd starts the daemon from now on: ${its.program}\n`);
    expect(err).toContain("to have it from the start of the machine: loginctl enable-linger");
    await its.service("install");
    expect(await its.calls()).toEqual([show, linger]);
  });

  test("--linger lets it begin before anybody logs in", async () => {
    await using its = await serviceMachine();
    const { err } = await its.service("install", { linger: true });
    expect(err).toBe("");
    expect((await its.calls()).at(-1)).toBe(`loginctl enable-linger ${await userName()}`);
    expect(JSON.parse((await its.service("status", { json: true })).out).at_boot).toBe(true);
    expect((await its.service("uninstall")).err).toContain("loginctl disable-linger");
  });

  test("--dry-run says all of it, and does nothing", async () => {
    await using its = await serviceMachine();
    const { code, out } = await its.service("install", { dryRun: true, json: true });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      way: "systemd",
      done: false,
      steps: [
        { does: "write", path: its.path(unit) },
        { does: "write", path: its.path(dropIn) },
        { does: "run", command: reload },
        { does: "run", command: enable },
      ],
    });
    expect(await its.calls()).toEqual([show, linger]);
    expect(await its.files()).toEqual([]);
  });

  test("a unit that an earlier version has written is renewed, and the daemon replaced", async () => {
    await using its = await serviceMachine();
    await its.service("install");
    const text = ownedText("[Service]\nExecStart=/old/localhostess server start\n");
    await writeFile(its.path(unit), text);
    expect((await its.service("status")).err).toContain(
      "to renew it: localhostess service install",
    );
    await its.calls();
    expect((await its.service("install")).code).toBe(0);
    expect(await its.calls()).toEqual([
      ...[show, linger, reload],
      "systemctl --user reload localhostess.service",
    ]);
    expect(its.text(unit)).toContain(`ExecStart=${its.program} server start --background\n`);
  });

  test("one that a person has changed stays, with the difference; --force writes over it", async () => {
    await using its = await serviceMachine();
    await its.service("install");
    const edited = its.text(unit).replace("TimeoutStopSec=120", "TimeoutStopSec=5");
    await writeFile(its.path(unit), edited);
    await its.calls();
    for (const verb of ["install", "uninstall"] as const) {
      const { code, err } = await its.service(verb);
      expect(code).toBe(1);
      expect(err).toContain("was changed by somebody");
      expect(err).toContain(`localhostess service ${verb} --force`);
      if (verb === "install") expect(err).toContain("- TimeoutStopSec=5");
    }
    expect(its.text(unit)).toBe(edited);
    expect(JSON.parse((await its.service("status", { json: true })).out).edited).toBe(true);
    expect((await its.service("install", { force: true })).code).toBe(0);
    expect(ownershipOf(its.text(unit))).toBe("ours");
  });

  test("where the program has come with a package's unit, that one is used, and ours goes", async () => {
    await using its = await serviceMachine();
    await its.service("install");
    const theirs = join(its.root, "usr/lib/systemd/user/localhostess.service");
    await mkdir(dirname(theirs), { recursive: true });
    await writeFile(theirs, unitText({ program: its.program }));
    expect((await its.service("install")).code).toBe(0);
    expect(await its.files()).toEqual([dropIn]);
    expect(JSON.parse((await its.service("status", { json: true })).out)).toMatchObject({
      ...{ installed: true, current: true },
      file: "/usr/lib/systemd/user/localhostess.service",
    });
    await its.service("uninstall");
    expect(readFileSync(theirs, "utf8")).toBe(unitText({ program: its.program }));
  });

  test("uninstall ends it and leaves no file; twice is harmless", async () => {
    await using its = await serviceMachine();
    await its.service("install");
    await its.calls();
    expect((await its.service("uninstall")).code).toBe(0);
    const disable = "systemctl --user disable --now localhostess.service";
    expect(await its.calls()).toEqual([show, linger, disable, reload]);
    expect(await its.files()).toEqual([]);
    const again = await its.service("uninstall");
    expect([again.code, again.out]).toEqual([0, "there is no service\n"]);
    expect(await its.calls()).toEqual([show, linger]);
  });

  test("with everything else it goes without an empty folder, also where systemd does not run any more", async () => {
    for (const booted of [true, false]) {
      await using its = await serviceMachine({ booted });
      await mkdir(its.path(".local"));
      await its.service("install", { way: "systemd" });
      await mkdir(dirname(its.path(wanted)));
      await symlink(its.path(unit), its.path(wanted));
      await its.calls();
      const { code, out } = await its.service("removeAll");
      expect(code).toBe(0);
      expect(out).toContain(`remove ${its.path(dropIn)}\n`);
      if (!booted) expect(await its.calls()).toEqual([]);
      // The stand-in for systemctl leaves the link.
      expect(await readdir(its.home)).toEqual(booted ? [".config", ".local"] : [".local"]);
    }
  });

  test("a package's unit that nobody has enabled is nothing to take away, also where no manager answers", async () => {
    await using its = await serviceMachine();
    const path = join(its.root, "usr/lib/systemd/user/localhostess.service");
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, unitText({ program: its.program }));
    await its.fails("show", { text: "Failed to connect to bus: No medium found" });
    expect(await its.service("removeAll")).toEqual({ code: 0, out: "", err: "" });
  });

  test("status has an exit code, and the command that helps", async () => {
    await using its = await serviceMachine();
    const none = await its.service("status", { json: true });
    expect([none.code, JSON.parse(none.out)]).toEqual([
      1,
      {
        ...{ way: "systemd", installed: false, file: null, edited: false, current: false },
        ...{ at_boot: false, program: its.program, pid: null, managed: false, problems: [] },
      },
    ]);
    expect((await its.service("status")).out).toContain(
      "to change that: localhostess service install",
    );
    await its.service("install");
    const { code, out } = await its.service("status");
    expect(code).toBe(0);
    expect(out).toStartWith("installed: systemd starts the daemon at login\n");
    // One that was stopped comes up after a reboot all the same; one that has failed may not.
    await its.state("state", "inactive");
    expect((await its.service("status")).code).toBe(0);
    await its.state("state", "failed");
    const failed = await its.service("status");
    expect([failed.code, failed.err]).toEqual([
      1,
      "the daemon has failed (exit-code); see why: journalctl --user -u localhostess.service\n",
    ]);
  });

  const failures = [
    ["show", "Failed to connect to bus: No medium found", "and not by su or sudo"],
    ["show", "Failed to connect to bus: No such file or directory", "export XDG_RUNTIME_DIR="],
    ["show", "Failed to connect to user scope bus via local transport: $DBUS", "XDG_RUNTIME_DIR"],
    [
      "enable",
      "Failed to enable unit: Unit file /home/me/.config/systemd/user/localhostess.service is masked.",
      "systemctl --user unmask localhostess.service",
    ],
    [
      "enable",
      "Job for localhostess.service failed because the control process exited with error code.",
      "see why: journalctl --user -u localhostess.service",
    ],
    ["daemon-reload", "Failed to reload daemon: Access denied", "daemon-reload: Failed to reload"],
    ["enable-linger", "Could not enable linger: Access denied", "sudo loginctl enable-linger"],
  ] as const;
  for (const [verb, text, words] of failures) {
    test(`${verb}: ${text}`, async () => {
      await using its = await serviceMachine();
      await its.fails(verb, { text });
      const { code, err } = await its.service("install", { linger: true });
      expect(code).toBe(1);
      expect(err).toContain(words);
      // What has failed does not stand in the way of the next attempt.
      expect((await its.service("install", { linger: true })).code).toBe(0);
    });
  }

  test("status without a manager says so, and does not fail otherwise", async () => {
    await using its = await serviceMachine();
    await its.fails("show", { text: "Failed to connect to bus: No medium found" });
    const { code, out, err } = await its.service("status");
    expect(code).toBe(1);
    expect(out).toStartWith("not installed");
    expect(err).toContain("the systemd of this user does not answer");
  });
});

describe("launchd", () => {
  const domain = `gui/${process.getuid!()}`;
  const target = `${domain}/localhostess.daemon`;
  const print = `launchctl print ${target}`;

  test("install writes the agent and loads it; again, nothing is left to do; uninstall takes it back", async () => {
    await using its = await serviceMachine({ platform: "darwin" });
    expect((await its.service("install")).code).toBe(0);
    const load = [`launchctl enable ${target}`, `launchctl bootstrap ${domain} ${its.path(agent)}`];
    expect(await its.calls()).toEqual([print, ...load]);
    expect(await its.files()).toEqual([agent]);
    expect(its.text(agent)).toContain(`<string>${its.program}</string>`);
    await its.service("install");
    expect(await its.calls()).toEqual([print]);
    expect((await its.service("status")).code).toBe(0);
    await its.calls();
    expect((await its.service("uninstall")).code).toBe(0);
    expect(await its.calls()).toEqual([print, `launchctl bootout ${target}`]);
    expect(await its.files()).toEqual([]);
  });

  test("an agent of an earlier version is loaded anew, once the one before has gone (error 37)", async () => {
    await using its = await serviceMachine({ platform: "darwin" });
    await its.service("install");
    const older = its
      .text(agent)
      .split("\n")
      .slice(0, -2)
      .join("\n")
      .replace("<integer>120", "<integer>60");
    await writeFile(its.path(agent), ownedText(`${older}\n`, { open: "<!-- ", close: " -->" }));
    await its.calls();
    await its.fails("bootstrap", {
      code: 37,
      text: "Bootstrap failed: 37: Operation already in progress",
    });
    expect((await its.service("install")).code).toBe(0);
    const load = `launchctl bootstrap ${domain} ${its.path(agent)}`;
    expect(await its.calls()).toEqual([
      ...[print, `launchctl bootout ${target}`, `launchctl enable ${target}`, load, load],
    ]);
  });

  test("one that was stopped is started again", async () => {
    await using its = await serviceMachine({ platform: "darwin" });
    await its.service("install");
    await its.state("loaded", "none");
    await its.calls();
    await its.service("install");
    expect(await its.calls()).toEqual([print, `launchctl kickstart ${target}`]);
  });

  const failures = [
    ["bootstrap", 5, "Bootstrap failed: 5: Input/output error", "launchctl print-disabled gui/"],
    [
      "bootstrap",
      125,
      "Bootstrap failed: 125: Domain does not support specified action",
      "at the next login",
    ],
    ["enable", 1, "Unrecognized target specifier", "enable gui/"],
  ] as const;
  for (const [verb, code, text, words] of failures) {
    test(`${verb}: ${text}`, async () => {
      await using its = await serviceMachine({ platform: "darwin" });
      await its.fails(verb, { code, text });
      const ended = await its.service("install");
      expect(ended.code).toBe(1);
      expect(ended.err).toContain(words);
      // launchd finds it at the next login all the same.
      expect(its.has(agent)).toBe(true);
    });
  }

  test("an agent that a person has changed stays; bootout of what has gone is no failure (error 3)", async () => {
    await using its = await serviceMachine({ platform: "darwin" });
    await its.service("install");
    await writeFile(its.path(agent), its.text(agent).replace("Interactive", "Background"));
    expect((await its.service("install")).err).toContain("-   <string>Background</string>");
    await its.fails("bootout", { code: 3, text: "Boot-out failed: 3: No such process" });
    expect((await its.service("uninstall", { force: true })).code).toBe(0);
    expect(await its.files()).toEqual([]);
  });
});

describe("without a manager", () => {
  test("a block in the profile starts the daemon at login; what is around it stays", async () => {
    await using its = await serviceMachine({ booted: false });
    await writeFile(its.path(".profile"), "export A=1", { mode: 0o640 });
    const { code, err } = await its.service("install", {}, { isWsl: true });
    expect(code).toBe(0);
    expect(await its.calls()).toEqual(["localhostess server start --detach"]);
    expect(its.text(".profile")).toBe(
      `export A=1\n# BEGIN localhostess service\nif [ -x ${its.program} ]; then (${its.program} server start --detach </dev/null >/dev/null 2>&1 &) fi\n# END localhostess service\n`,
    );
    expect(statSync(its.path(".profile")).mode & 0o777).toBe(0o640);
    expect(err).toContain("[boot] systemd=true");
    expect((await its.service("status")).code).toBe(0);
    await writeFile(its.path(".profile"), `${its.text(".profile")}export B=2\n`);
    expect((await its.service("uninstall")).code).toBe(0);
    expect(its.text(".profile")).toBe("export A=1\nexport B=2\n");
    expect((await its.service("status")).code).toBe(1);
  });

  const shells = [
    ["/bin/zsh", ".zprofile"],
    ["/usr/bin/fish", ".config/fish/conf.d/localhostess.fish"],
    ["/bin/bash", ".profile"],
    ["/bin/dash", ".profile"],
  ] as const;
  for (const [shell, path] of shells) {
    test(`${shell}: ${path}, which is gone again after uninstall`, async () => {
      await using its = await serviceMachine({ booted: false, shell });
      await its.service("install");
      expect(await its.files()).toEqual([path]);
      await its.service("uninstall");
      expect(await its.files()).toEqual([]);
    });
  }

  test("bash reads .bash_profile where there is one; a link stays a link", async () => {
    await using its = await serviceMachine({ booted: false, shell: "/bin/bash" });
    await mkdir(its.path("dotfiles"));
    await writeFile(its.path("dotfiles/bash_profile"), "# mine\n");
    await symlink("dotfiles/bash_profile", its.path(".bash_profile"));
    await its.service("install");
    expect(lstatSync(its.path(".bash_profile")).isSymbolicLink()).toBe(true);
    expect(its.text("dotfiles/bash_profile")).toStartWith("# mine\n# BEGIN localhostess service\n");
  });

  test("a block without its end is nobody's to change", async () => {
    await using its = await serviceMachine({ booted: false });
    const torn = "# BEGIN localhostess service\nmine\n";
    await writeFile(its.path(".profile"), torn);
    const { code, err } = await its.service("install");
    expect([code, its.text(".profile")]).toEqual([1, torn]);
    expect(err).toContain("are not a pair");
  });
});

test("a program in npx's cache is not installed, and the words say what to do first", async () => {
  await using its = await serviceMachine();
  const own = "/home/me/.npm/_npx/1f2a/node_modules/localhostess/src/main.ts";
  const { code, err } = await its.service("install", {}, { own });
  expect([code, await its.files()]).toEqual([1, []]);
  expect(err).toContain("npm install -g localhostess; then run: localhostess service install");
});

test("settings in variables of the shell are named, as they will be gone", async () => {
  await using its = await serviceMachine();
  its.env.LOCALHOSTESS_PORT = "8080";
  const { err } = await its.service("install");
  expect(err).toContain("LOCALHOSTESS_PORT of this shell will be gone: write it to config.toml");
});

test("a sandbox has no service", async () => {
  await using its = await serviceMachine();
  its.env.LOCALHOSTESS_SANDBOX = "ci";
  expect((await its.service("install")).code).toBe(2);
});

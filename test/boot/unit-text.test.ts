/** The unit of systemd, and the words in it. */
import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentText, lostSettings, serviceEnvironment } from "../../src/boot/environment.ts";
import { unitText, unitWord } from "../../src/boot/unit-text.ts";
import { whereIs } from "../../src/system/search-path.ts";

test("it says what systemd has to know of a daemon that is replaced, and whose services go on", () => {
  const text = unitText({ program: "/usr/bin/localhostess" });
  const lines = text.split("\n");
  for (const line of [
    "Type=notify",
    "NotifyAccess=all",
    "ExecStart=/usr/bin/localhostess server start --background",
    "ExecReload=/usr/bin/localhostess server restart",
    "Restart=on-failure",
    "RestartPreventExitStatus=2",
    "KillMode=process",
    "OOMPolicy=continue",
    "WantedBy=default.target",
  ]) {
    expect(lines).toContain(line);
  }
});

test("words with spaces, quotes, specifiers and variables are what they were", () => {
  expect(unitWord("/usr/bin/localhostess")).toBe("/usr/bin/localhostess");
  expect(unitWord("/my folder/l")).toBe('"/my folder/l"');
  expect(unitWord('/a"b\\c')).toBe('"/a\\"b\\\\c"');
  expect(unitWord("/50%/$HOME")).toBe("/50%%/$$HOME");
});

test("the environment has PATH without what goes with a folder or a shell, and where our things are", () => {
  const env = {
    PATH: "/usr/bin:.::/p/node_modules/.bin:/home/me/.local/state/fnm_multishells/1_2/bin:/opt/my bin:/usr/bin",
    LOCALHOSTESS_STATE_DIR: "/state",
    DOCKER_HOST: "unix:///run/d.sock",
    LOCALHOSTESS_PORT: "1",
    LOCALHOSTESS_INFER: "",
    XDG_DATA_HOME: "/a\nb",
    TOKEN: "secret",
  };
  const its = serviceEnvironment(env);
  expect(its).toEqual({
    PATH: "/usr/bin:/opt/my bin",
    LOCALHOSTESS_STATE_DIR: "/state",
    DOCKER_HOST: "unix:///run/d.sock",
  });
  expect(lostSettings(env)).toEqual(["LOCALHOSTESS_PORT"]);
  expect(environmentText({ ...its, A: "50%$x" })).toEndWith(
    '\n[Service]\nEnvironment="PATH=/usr/bin:/opt/my bin"\nEnvironment=LOCALHOSTESS_STATE_DIR=/state\nEnvironment=DOCKER_HOST=unix:///run/d.sock\nEnvironment=A=50%%$x\n',
  );
});

test.skipIf(whereIs("systemd-analyze", process.env.PATH) === undefined)(
  "systemd has nothing to say against it",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "localhostess-unit-"));
    const path = join(folder, "localhostess.service");
    await writeFile(path, unitText({ program: "/bin/true" }));
    const child = Bun.spawn(["systemd-analyze", "--man=no", "--user", "verify", path], {
      env: { PATH: process.env.PATH!, HOME: folder, XDG_RUNTIME_DIR: folder },
      stdout: "ignore",
      stderr: "pipe",
    });
    const said = await child.stderr.text();
    await rm(folder, { recursive: true });
    expect(said.split("\n").filter((line) => line.includes("localhostess.service"))).toEqual([]);
  },
);

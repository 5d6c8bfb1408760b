/** Help, version and mistakes, with the real program. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { version } from "../../package.json" with { type: "json" };
import { cli, freshState } from "./cli.ts";
import { inProcess } from "./in-process.ts";
import { testServer } from "./server-process.ts";

// Each test runs the program several times, on a machine that may be busy.
setDefaultTimeout(60_000);

const verbs = [
  ...["ls", "url", "port", "open", "serve", "why", "name", "pac"],
  ...["db url", "db psql", "db reset", "db dump", "db restore", "db fork", "db list", "db clean"],
  ...["up", "build", "stop", "restart", "wait", "status", "logs", "monitor", "run", "try"],
  ...["registry list", "registry pin", "registry unpin", "registry forget", "registry clean"],
  ...["remote list", "remote add", "remote remove", "remote retry"],
  ...["plugin install", "plugin list", "plugin inspect", "plugin validate", "plugin agree"],
  ...["plugin remove", "plugin new"],
  ...["worktree add", "worktree remove", "worktree list"],
  ...["init", "add", "service add", "service install", "service status", "service uninstall"],
  ...["config check", "config show", "config schema"],
  ...["trust", "untrust", "env", "browser", "doctor"],
  ...[
    "server start",
    "server stop",
    "server restart",
    "server status",
    "api",
    "dashboard",
    "connect",
  ],
  ...["completion", "version", "container run"],
];

describe("--help", () => {
  for (const verb of verbs) {
    test(`${verb} explains itself with an example, on stdout`, async () => {
      const { code, out, err } = await inProcess([...verb.split(" "), "--help"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toStartWith(`Usage: localhostess ${verb}`);
      expect(out).toContain("Example:\n  $ ");
      expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    });
  }

  test("of the program lists every verb", async () => {
    const { code, out } = await cli(["--help"]);
    expect(code).toBe(0);
    for (const verb of verbs) expect(out).toContain(`\n  ${verb.split(" ")[0]} `);
    expect(out).toContain("NAME=api bun dev");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

test("--version prints just the version", async () => {
  expect(await cli(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
});

const mistakes: [args: string[], said: string][] = [
  [["lss"], "Did you mean ls?"],
  [["LS"], "unknown command 'LS'\n(Did you mean ls?)\nsee: "],
  [["sever"], "Did you mean server?"],
  [["entirely-else"], "unknown command 'entirely-else'"],
  [["server", "strat"], "Did you mean start?"],
  [["server"], "Usage: localhostess server"],
  [["ls", "--jsno"], "Did you mean --json?"],
  [["--jsno"], "Did you mean --json?"],
  [["ls", "extra"], "too many arguments"],
  [["url"], "missing required argument 'name'"],
  [["url", "two words"], "neither a name nor a URL"],
  [["port", "localhost"], "localhost is the proxy itself"],
  [["why", "http://example.com/"], "example.com is not served by localhostess"],
  [["ls", "--scanner", "magic"], "Allowed choices are auto, procfs, lsof"],
  [["ls", "--port"], "argument missing"],
  [["ls", "--port", "70000"], '--port: expected a number from 0 to 65535, got "70000"'],
  [["server", "start", "--port", "-1"], '--port: expected a number from 0 to 65535, got "-1"'],
  [
    ["server", "start", "--http-port", "on"],
    '--http-port: expected a number from 0 to 65535 or "off", got "on"',
  ],
  [
    ["server", "start", "--https-port", "65536"],
    '--https-port: expected a number from 0 to 65535 or "off", got "65536"',
  ],
  [["ls", "--port", "80x"], '--port: expected a number from 0 to 65535, got "80x"'],
  [["--sandbox", "a/b", "ls"], '--sandbox "a/b": a sandbox name has at most 32'],
  [["ls", "--sandbox", "A"], '--sandbox "A"'],
  [["ls", "--sandbox", ""], "--sandbox"],
  [["server", "stop", `--sandbox=${"a".repeat(33)}`], "a sandbox name has at most 32"],
  [["ls", "--sandbox"], "argument missing"],
  [["wait"], "see: localhostess wait --help"],
  [["up", "--profile"], "see: localhostess up --help"],
  [["registry", "forgte"], "see: localhostess registry --help"],
  [
    ["clean"],
    "(It is localhostess registry clean or localhostess db clean)\nsee: localhostess --help",
  ],
  [["schma"], "(Did you mean localhostess config schema?)"],
  [["help", "lss"], "unknown command 'lss'\n(Did you mean ls?)\nsee: localhostess --help"],
  [["lss", "--help"], "unknown command 'lss'\n(Did you mean ls?)\nsee: localhostess --help"],
  [["lss", "-h"], "(Did you mean ls?)"],
  [["--sandbox", "ci", "help", "lss"], "(Did you mean ls?)"],
  [["--sandbox=ci", "lss", "--help"], "(Did you mean ls?)"],
  [["help", "server", "strat"], "(Did you mean start?)\nsee: localhostess server --help"],
  [["server", "strat", "--help"], "(Did you mean start?)\nsee: localhostess server --help"],
  [["help", "ls", "more"], "ls has no command more; see: localhostess ls --help"],
  [["server", "strat", "--json"], "see: localhostess server --help"],
  [["url", "two words"], "see: localhostess url --help"],
  [["why", "http://example.com/"], "see: localhostess why --help"],
  [["ls", "--port", "x"], "see: localhostess ls --help"],
  [["server", "start", "--port", "x"], "see: localhostess server start --help"],
  [["logs", "--tail", "x"], "see: localhostess logs --help"],
  [["up", "/no/such/folder"], "see: localhostess up --help"],
  [["run", "api"], "see: localhostess run --help"],
  [["stop", "api", "--all"], "see: localhostess stop --help"],
  [["status", "api", "--all"], "see: localhostess status --help"],
  [["logs", "api", "--all"], "see: localhostess logs --help"],
  [["add", "a b", "--", "true"], "see: localhostess add --help"],
  [["service", "add", "worker", "a b", "--", "true"], "see: localhostess service add --help"],
  [["trust", "--status", "--renew"], "see: localhostess trust --help"],
  [["add-service"], "unknown command 'add-service'\nsee: localhostess --help"],
];

for (const [args, said] of mistakes) {
  test(`localhostess ${args.join(" ")} is a usage error`, async () => {
    const { code, out, err } = await inProcess(args);
    expect({ code, out: args.includes("--json") ? "" : out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(said);
    expect(err).toMatch(/Usage: |see: localhostess /);
  });
}

test("help is that of the command, in each way that people ask for it", async () => {
  const { out } = await cli(["server", "start", "--help"]);
  const asked = [
    ["help", "server", "start"],
    ["server", "start", "-h"],
    ["--sandbox", "ci", "help", "server", "start"],
  ];
  for (const args of asked) expect(await cli(args)).toEqual({ code: 0, out, err: "" });
  const general = await cli(["--help"]);
  for (const args of [["help"], ["help", "help"], ["help", "--help"], ["-h"]]) {
    expect(await cli(args)).toEqual(general);
  }
});

test("the version is a command as well, and JSON where it is asked for", async () => {
  expect(await cli(["version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  expect(JSON.parse((await cli(["version", "--json"])).out)).toEqual({ version });
});

test("the name of a server in the place of a command leads to open, also where a command has that name", async () => {
  await using state = await freshState();
  await using server = await testServer();
  const { name } = server;
  for (const word of [name, `${name}.localhost`]) {
    const { code, err } = await cli([word], { env: state.env });
    expect(code).toBe(2);
    expect(err).toContain(
      `${word} is the name of a server; to open it: localhostess open ${word}\n`,
    );
  }
  const { out } = await cli([name, "--json"], { env: state.env });
  expect(JSON.parse(out).error).toMatchObject({ code: "usage", hint: `localhostess open ${name}` });
  await using _ = await testServer({ name: "api" });
  const listed = await cli(["api"], { env: state.env });
  expect(listed.code).toBe(0);
  expect(listed.err).toContain("to open it: localhostess open api\n");
});

test("LOCALD_SOCKET is for sandboxes only", async () => {
  const forgotten = { LOCALD_SOCKET: "/run/locald.sock" };
  for (const args of [["ls"], ["server", "status"], ["--sandbox", "ci", "ls"]]) {
    const { code, out, err } = await cli(args, { env: forgotten });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("LOCALD_SOCKET is not allowed without LOCALD_SANDBOX_ACTIVE=1");
  }
  const relative = { LOCALD_SOCKET: "locald.sock", LOCALD_SANDBOX_ACTIVE: "1" };
  expect((await cli(["ls"], { env: relative })).err).toContain("is not an absolute path");
});

test("bad variables are usage errors that name them, all at once", async () => {
  const env = {
    LOCALHOSTESS_PORT: "many",
    LOCALHOSTESS_HTTP_PORT: "none",
    LOCALHOSTESS_HTTPS_PORT: "-1",
    LOCALHOSTESS_HTTPS_REDIRECT: "yes",
    LOCALHOSTESS_INFER: "no",
    LOCALHOSTESS_TRIAL: "long",
    LOCALHOSTESS_STATE_DIR: "here",
  };
  for (const verb of [["ls"], ["pac"], ["url", "api"], ["server", "start"]]) {
    const { code, out, err } = await cli(verb, { env });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain('LOCALHOSTESS_PORT: expected a number from 0 to 65535, got "many"');
    expect(err).toContain(
      'LOCALHOSTESS_HTTP_PORT: expected a number from 0 to 65535 or "off", got "none"',
    );
    expect(err).toContain(
      'LOCALHOSTESS_HTTPS_PORT: expected a number from 0 to 65535 or "off", got "-1"',
    );
    expect(err).not.toContain("--help");
    expect(err).toContain('LOCALHOSTESS_HTTPS_REDIRECT: expected 1 or 0, got "yes"');
    expect(err).toContain('LOCALHOSTESS_INFER: expected 1 or 0, got "no"');
    expect(err).toContain("LOCALHOSTESS_TRIAL: expected");
    expect(err).toContain("LOCALHOSTESS_STATE_DIR=here is not an absolute path");
  }
});

test("what was typed cannot reach the terminal as an escape", async () => {
  for (const args of [["\x1b[2Jverb"], ["ls", "--port", "\x1b[2J"], ["url", "\x1b[2J"]]) {
    const { code, err } = await cli(args);
    expect(code).toBe(2);
    expect(err).not.toContain("\x1b");
  }
});

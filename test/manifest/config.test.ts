import { expect, test } from "bun:test";
import { grantedIn, readConfig } from "../../src/manifest/config.ts";

const file = "config.toml";

function mistakes(text: string): string[] {
  const read = readConfig(text, file);
  return read.kind === "mistakes" ? read.mistakes : [];
}

test("each value is there with the line that it comes from", () => {
  const text = `# Mine.
tlds = [ "Test", "dev.test" ]
allowed_origins = [ "http://localhost:5173", "https://[::1]:8443" ]

port = 8080
http_port = "off"
https_port = 0
https_redirect = true
`;
  const origin = (line: number) => ({ file, line });
  expect(readConfig(text, file)).toEqual({
    kind: "config",
    config: {
      tlds: { value: ["test", "dev.test"], origin: origin(2) },
      allowed_origins: {
        value: ["http://localhost:5173", "https://[::1]:8443"],
        origin: origin(3),
      },
      port: { value: 8080, origin: origin(5) },
      http_port: { value: "off", origin: origin(6) },
      https_port: { value: 0, origin: origin(7) },
      https_redirect: { value: true, origin: origin(8) },
    },
  });
});

test("an empty file says nothing", () => {
  expect(readConfig("# Nothing yet.\n", file)).toEqual({ kind: "config", config: {} });
});

test("all errors are reported at once, in the order of the lines", () => {
  expect(
    mistakes(`tld = ["test"]
port = "9090"
tlds = [
  "test",
  "localhost",
  7,
]
http-port = 80
https_redirect = "yes"
nonsense = 1
`),
  ).toEqual([
    'config.toml:1 tld: unknown key; did you mean "tlds"?',
    'config.toml:2 port: expected a number from 0 to 65535, got "9090"',
    'config.toml:5 tlds[1]: "localhost" is always served; remove it',
    'config.toml:6 tlds[2]: expected a domain such as "test", got 7',
    'config.toml:8 http-port: unknown key; did you mean "http_port"?',
    'config.toml:9 https_redirect: expected true or false, got "yes"',
    "config.toml:10 nonsense: unknown key; the keys are tlds, bare_names, allowed_origins, port, http_port, https_port, https_redirect, containers, hosts, other_users, infer, guard, allow_origins, allow_posts, forwarded, strict_subdomains, names, remotes, plugins, project, env, services and worktree",
  ]);
});

test("invalid TOML is reported with its place", () => {
  expect(mistakes('tlds = ["test"]\nport = = 1\n')).toEqual([
    expect.stringMatching(/^config\.toml:2:8: invalid TOML: [^\n]+$/),
  ]);
});

test.each([
  ['port = "off"', "expected a number from 0 to 65535"],
  ["port = -1", "got -1"],
  ["port = 65536", "got 65536"],
  ["port = 9090.5", "got 9090.5"],
  ["port = nan", "a number"],
  ["port = inf", "a number"],
  ["port = 1979-05-27", "a number"],
  ["port = []", "got []"],
  ['http_port = "on"', 'expected a number from 0 to 65535 or "off", got "on"'],
  ["http_port = false", 'or "off", got false'],
  ["https_port = 70000", 'or "off", got 70000'],
  ["https_redirect = 1", "expected true or false, got 1"],
  ['tlds = "test"', 'expected a list such as ["test"], got "test"'],
  ["tlds = { test = true }", "expected a list"],
  ["tlds = [[]]", "expected a domain"],
  ['allowed_origins = "*"', "expected a list"],
  ['bare_names = "api"', 'expected true, false or a list such as ["api"], got "api"'],
  ["bare_names = 1", "true, false or a list"],
])("%s is one error", (line, part) => {
  const told = mistakes(`${line}\n`);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(part);
  expect(told[0]).toStartWith(`config.toml:1 ${line.split(" ")[0]}`);
});

test("bare names are all of them, none or a list", () => {
  const said = (text: string) => {
    const read = readConfig(`bare_names = ${text}\n`, file);
    return read.kind === "config" ? read.config.bare_names?.value : read.mistakes;
  };
  expect(said("true")).toBe(true);
  expect(said("false")).toBe(false);
  expect(said('["api", "my-web"]')).toEqual(["api", "my-web"]);
  expect(said('["api.shop", "Api"]')).toEqual([
    'config.toml:1 bare_names[0]: expected a lower-case name without a dot, such as "api", got "api.shop"',
    'config.toml:1 bare_names[1]: expected a lower-case name without a dot, such as "api", got "Api"',
  ]);
});

test("no error is longer than a person reads", () => {
  for (const value of [`"${"x".repeat(10_000)}"`, `[${"1,".repeat(5_000)}]`]) {
    for (const key of [
      "tlds",
      "bare_names",
      "port",
      "allowed_origins",
      "http_port",
      "https_redirect",
    ]) {
      for (const told of mistakes(`${key} = ${value}`)) expect(told.length).toBeLessThan(300);
    }
  }
});

test("keys that objects are born with are unknown keys", () => {
  for (const key of ["constructor", "toString", "hasOwnProperty"]) {
    expect(mistakes(`${key} = 1`)).toHaveLength(1);
  }
});

test("what it says of projects is no error here: it is a layer of each", () => {
  const text = "port = 1\n[env]\nA = 1\n[services.web]\nnonsense = 2\n";
  expect(readConfig(text, file)).toMatchObject({ kind: "config", config: { port: { value: 1 } } });
});

test("a plugin is granted what its table says, and nothing by default", () => {
  const text = '[plugins.redis]\ngrant = ["write-file", "oci-pull"]\n[plugins.site]\n';
  const read = readConfig(text, "config.toml");
  const config = read.kind === "config" ? read.config : {};
  expect(grantedIn(config, "redis")).toEqual(["write-file", "oci-pull"]);
  expect(grantedIn(config, "site")).toEqual([]);
  expect(grantedIn(config, "constructor")).toEqual([]);
});

test("an unknown capability, another key and a name that is none are errors", () => {
  const text = '[plugins.redis]\ngrant = ["write-files"]\nallow = true\n[plugins."a b"]\n';
  const read = readConfig(text, "config.toml");
  expect(read.kind === "mistakes" ? read.mistakes : []).toEqual([
    'config.toml:2 plugins.redis.grant[0]: unknown capability "write-files"; did you mean "write-file"?',
    "config.toml:3 plugins.redis.allow: unknown key; the keys are grant",
    'config.toml:4 plugins."a b": expected the name of a plugin, such as [plugins.redis], got "a b"',
  ]);
});

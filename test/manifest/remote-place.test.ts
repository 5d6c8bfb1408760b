import { describe, expect, test } from "bun:test";
import { readConfig, remotesIn } from "../../src/manifest/config.ts";
import { hostMistake, remoteNameMistake } from "../../src/manifest/remote-place.ts";

describe("a host for ssh", () => {
  const good = [
    ...["box", "me@box", "box.lan", "me@10.0.0.5", "ssh://me@box:2222", "ssh://box"],
    ...["me@[2001:db8::1]", "2001:db8::1", "ssh://me@[::1]:2222", "my_user.x@my-box_2"],
  ];
  for (const host of good) {
    test(`${host} is one`, () => {
      expect(hostMistake(host)).toBeUndefined();
    });
  }

  const bad = [
    ...["", " ", "-oProxyCommand=touch /tmp/x", "-oProxyCommand=x@box", "me@-oX", "ssh://-x"],
    ...["me box", "me@box\n-oX", "me@box\0", "$(id)@box", "me@`id`", "me@box;id", "me@box|id"],
    ...["'box'", '"box"', "me@box/x", "me@@box", "böx", "box%h", "~me", "box:2222", "me@box:2222"],
    "x".repeat(301),
  ];
  for (const host of bad) {
    test(`${JSON.stringify(host.slice(0, 40))} is none`, () => {
      expect(hostMistake(host)).toBeString();
    });
  }

  test("with a port has to be a URL, which is said", () => {
    expect(hostMistake("me@box:2222")).toContain('"ssh://me@box:2222"');
  });
});

test("a machine's name is one label, in lower case, and no number", () => {
  for (const name of ["box", "my-box", "b0x"]) expect(remoteNameMistake(name)).toBeUndefined();
  const bad = ["", "Box", "a.b", "-box", "my_box", "localhost", "10", "0x1f", "x".repeat(64)];
  for (const name of bad)
    expect([name, remoteNameMistake(name)]).toEqual([name, expect.any(String)]);
});

describe("[remotes] of config.toml", () => {
  const read = (text: string) => readConfig(text, "config.toml");

  test("name hosts", () => {
    const its = read('[remotes.box]\nhost = "me@box"\n[remotes.pi]\nhost = "pi.lan"\n');
    expect(its.kind === "config" && [...remotesIn(its.config)]).toEqual([
      ["box", "me@box"],
      ["pi", "pi.lan"],
    ]);
  });

  test("with mistakes are reported with their lines", () => {
    const its = read(
      '[remotes.box]\nhost = "-oProxyCommand=x"\nhots = 1\n[remotes.Pi]\nhost = "pi"\n',
    );
    expect(its.kind === "mistakes" && its.mistakes).toEqual([
      expect.stringContaining("config.toml:2 remotes.box.host: expected a host as ssh takes it"),
      expect.stringContaining("config.toml:3 remotes.box.hots: unknown key"),
      expect.stringContaining("config.toml:4 remotes.Pi: the name of another machine has only"),
    ]);
    expect(read("[remotes]\nbox = 1\n").kind).toBe("mistakes");
    expect(read("[remotes.box]\n").kind).toBe("mistakes");
  });
});

import { expect, test } from "bun:test";
import {
  forwardArguments,
  isPlainPath,
  isTooOld,
  sessionArguments,
} from "../../src/remote/ssh-arguments.ts";

test("a connection asks nobody, opens no port, and lets nothing come back", () => {
  const words = sessionArguments("me@box", { control: "/run/box.ssh", isOld: false });
  expect(words.slice(-3)).toEqual(["--", "me@box", "sh"]);
  const options = words.filter((_, index) => words[index - 1] === "-o");
  expect(options).toEqual(
    expect.arrayContaining([
      ...["BatchMode=yes", "ClearAllForwardings=yes", "GatewayPorts=no", "Tunnel=no"],
      ...["ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no", "ControlPersist=no"],
      ...["ForkAfterAuthentication=no", "SessionType=default", "StdinNull=no"],
      ...["ControlMaster=yes", "ControlPath=/run/box.ssh", "StreamLocalBindMask=0177"],
    ]),
  );
  // A person's own configuration decides about hosts and their keys.
  expect(options.some((option) => /HostKey|KnownHosts|Identity/.test(option))).toBe(false);
  expect(words).not.toContain("-F");
});

test("ssh from before 8.7 gets no options that it does not know", () => {
  const words = sessionArguments("box", { control: "/run/box.ssh", isOld: true }).join(" ");
  expect(words).not.toMatch(/ForkAfterAuthentication|SessionType|StdinNull/);
  expect(words).toContain("BatchMode=yes");
  expect(isTooOld("command-line: line 0: Bad configuration option: sessiontype\n")).toBe(true);
  expect(isTooOld("/home/me/.ssh/config: line 3: Bad configuration option: sesion\n")).toBe(false);
});

test("a forward is a command to the connection that runs, and reads no configuration", () => {
  const forwards = [
    { socket: "/run/a", to: "127.0.0.1:3000" },
    { socket: "/run/b", to: "[::1]:3001" },
  ];
  const asked = { control: "/run/box.ssh", host: "me@box", forwards };
  expect(forwardArguments("forward", asked)).toEqual([
    ...["-F", "/dev/null", "-S", "/run/box.ssh", "-O", "forward"],
    ...["-L", "/run/a:127.0.0.1:3000", "-L", "/run/b:[::1]:3001", "--", "me@box"],
  ]);
});

test("a path is plain if ssh reads nothing into it", () => {
  for (const path of ["/run/a", "/run/user/1000/x-1.y_z/box.ssh"]) {
    expect(isPlainPath(path)).toBe(true);
  }
  const others = [
    "run/a",
    "/a b",
    "/a:b",
    "/%h",
    "/$HOME",
    "/~",
    '/"',
    "/'",
    "/\\",
    "/a\n",
    "/ä",
    "",
  ];
  for (const path of others) expect([path, isPlainPath(path)]).toEqual([path, false]);
});

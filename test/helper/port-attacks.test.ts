import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { deadly, deaths, holds, inherited, patience, type Row, rows as table } from "./rows.ts";
import {
  type Attack,
  byAttack,
  canAttack,
  helperWorld,
  type Outcome,
  prepareEtc,
  usersBefore,
  type World,
} from "./world.ts";

const all = "4 80\n6 80\n4 443\n6 443\n";

describe.skipIf(!canAttack)(`attacks on the helper for ports${byAttack}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await helperWorld();
    prepareEtc(world);
  }, patience);
  afterAll(() => world?.[Symbol.asyncDispose]());

  const words = (...its: string[]) => ["localhostess-helper", world.version, ...its];
  const attack = (by: Partial<Attack> = {}): Promise<Outcome> =>
    world.attack({ program: "localhostess-helper", argv: words("bind", "80", "443"), ...by });

  const rows = (its: readonly Row[]): void =>
    table(its, {
      attack: ({ argv, ...by }) => attack(argv ? { ...by, argv: words(...argv) } : by),
    });

  test("a user who is listed gets four listeners on loopback, and no connection waits for them", async () => {
    const { code, message } = await attack();
    expect(code).toBe(0);
    const listener = (address: string) => ({ address, listens: true, blocks: false });
    expect(message).toEqual({
      text: all,
      listeners: [
        { ...listener("127.0.0.1 80"), "only six": null },
        { ...listener("::1 80"), "only six": true },
        { ...listener("127.0.0.1 443"), "only six": null },
        { ...listener("::1 443"), "only six": true },
      ],
    });
  });

  rows([
    {
      of: "one port alone is one",
      by: { argv: ["bind", "443"] },
      code: 0,
      hears: "4 443\n6 443\n",
    },
    {
      of: "ports come in the order that they were asked for",
      by: { argv: ["bind", "443", "80"] },
      code: 0,
      hears: "4 443\n6 443\n4 80\n6 80\n",
    },
  ]);

  describe("another user", () => {
    const no = (uid: number, right = "ports") =>
      new RegExp(`users does not allow user ${uid} ${right}.*localhostess setup --${right}`);
    rows([
      { of: "one who is not listed is refused", by: { uid: 1003 }, code: 2, says: no(1003) },
      { of: "one whose number begins a listed one", by: { uid: 100 }, code: 2, says: no(100) },
      {
        of: "one whose number is longer than a listed one",
        by: { uid: 10_000 },
        code: 2,
        says: no(10_000),
      },
      {
        of: "one who is listed for the hosts file only",
        by: { uid: 1002 },
        code: 2,
        says: no(1002),
      },
      { of: "one who is in root's group", by: { uid: 1003, groups: [0] }, code: 2, says: no(1003) },
      { of: "one who is listed for ports only gets them", by: { uid: 1001 }, code: 0, hears: all },
      { of: "root needs no list", by: { uid: 0 }, code: 0, hears: all },
    ]);
  });

  describe("arguments", () => {
    const only = /only 80 and 443/;
    for (const port of [
      "0",
      "22",
      "8080",
      "65616",
      "080",
      "+80",
      " 80",
      "80 ",
      "80\n",
      "-80",
      "0x50",
      "80.0",
      "8o",
      "",
    ]) {
      rows([
        { of: `port ${JSON.stringify(port)}`, by: { argv: ["bind", port] }, code: 2, says: only },
      ]);
    }
    rows([
      {
        of: "a good port beside a bad one gives neither",
        by: { argv: ["bind", "80", "22"] },
        code: 2,
        says: only,
      },
      {
        of: "the same port twice",
        by: { argv: ["bind", "80", "80"] },
        code: 2,
        says: /or for both/,
      },
      { of: "no port", by: { argv: ["bind"] }, code: 2, says: /or for both/ },
      { of: "three ports", by: { argv: ["bind", "80", "443", "80"] }, code: 2, says: /too many/ },
      {
        of: "another word",
        by: { argv: ["write", "80"] },
        code: 2,
        says: /the only request is bind/,
      },
      { of: "no word", by: { argv: [] }, code: 2, says: /the only request is bind/ },
      {
        of: "escapes for the terminal come back as question marks",
        by: { argv: ["bind", "\x1b]0;x\x07\r\n\x9b"] },
        code: 2,
        says: /not "\?\]0;x\?\?\?\?"\n$/,
      },
      {
        of: "ten thousand of them",
        by: { argv: ["bind", ...Array.from({ length: 10_000 }, () => "80")] },
        code: 2,
        says: /too many/,
      },
      {
        of: "one of a hundred kilobytes",
        by: { argv: ["bind", "8".repeat(100_000)] },
        code: 2,
        says: only,
      },
    ]);
    for (const [of, argv] of [
      ["none at all, not even a name", []],
      ["its own name alone", ["localhostess-helper"]],
    ] as const) {
      test(of, async () => holds(await attack({ argv }), { code: 2, says: /usage: / }), patience);
    }
    for (const version of ["0.0.1", "", "9".repeat(100_000), "--help", "%n%s"]) {
      const of = `version ${JSON.stringify(version.slice(0, 10))} is told ours, and gets nothing`;
      test(of, async () => {
        const outcome = await attack({ argv: ["localhostess-helper", version, "bind", "80"] });
        holds(outcome, { code: 3 });
        expect(outcome.out).toBe(`${world.version}\n`);
      });
    }
    test("--version needs no right, and with more behind it is a version of its own", async () => {
      const asked = { uid: 1003, three: "none" };
      const version = await attack({ ...asked, argv: ["x", "--version"] });
      expect([version.code, version.out]).toEqual([0, `${world.version}\n`]);
      holds(await attack({ ...asked, argv: ["x", "--version", "bind", "80"] }), { code: 3 });
    });
  });

  describe("descriptor 3", () => {
    const no = /descriptor 3 is not one end of a stream socket pair/;
    const other = /the other end of descriptor 3 is not of user 1000/;
    for (const three of [
      "none",
      "file",
      "null",
      "folder",
      "pipe",
      "tcp",
      "udp",
      "datagram",
      "seqpacket",
      "listening",
    ]) {
      rows([{ of: `as ${three}`, by: { three }, code: 2, says: no }]);
    }
    rows([
      {
        of: "as a socket that nobody is connected to",
        by: { three: "unconnected" },
        code: 2,
        says: other,
      },
      {
        of: "with another user at its other end",
        by: { three: "another's" },
        code: 2,
        says: other,
      },
      { of: "with root at its other end", by: { three: "root's" }, code: 2, says: other },
      {
        of: "whose other end is gone",
        by: { three: "gone" },
        code: 1,
        says: /descriptor 3: Broken pipe/,
      },
      { of: "whose reader does not read", by: { three: "full" }, code: 1, says: /nobody reads/ },
    ]);

    test("a second time, the ports are taken, and each is named", async () => {
      const [first, second] = await world.order<Outcome[]>("crowd", {
        attacks: [1, 2].map(() => ({
          program: "localhostess-helper",
          argv: words("bind", "80", "443"),
          uid: 1000,
        })),
      });
      const heard = [first!, second!].map(({ message }) => message?.text ?? "").join("");
      // Whichever came first has a port; a port is never had twice.
      expect(heard.split("\n").filter(Boolean).sort()).toEqual(
        all.split("\n").filter(Boolean).sort(),
      );
      const said = first!.err + second!.err;
      for (const place of ["127.0.0.1:80", "[::1]:80", "127.0.0.1:443", "[::1]:443"]) {
        expect(said.split(`${place}: Address in use`)).toHaveLength(2);
      }
    });
  });

  describe("a port that cannot be had", () => {
    test("is named, and the others are handed over all the same", async () => {
      const [, second] = await world.order<Outcome[]>("crowd", {
        attacks: [
          { program: "localhostess-helper", argv: words("bind", "80"), "before next": true },
          { program: "localhostess-helper", argv: words("bind", "80", "443") },
        ],
      });
      holds(second!, {
        code: 0,
        hears: "4 443\n6 443\n",
        says: /^localhostess-helper: 127\.0\.0\.1:80: Address in use\n.*\[::1\]:80: Address in use\n$/,
      });
    });
    const denied = /127\.0\.0\.1:80: Permission denied\n/;
    rows([
      {
        of: "a copy of the program has no right",
        by: { program: "localhostess-helper.plain" },
        code: 1,
        says: denied,
      },
      {
        of: "nor has a caller's process that may gain none",
        by: { "no new privileges": true },
        code: 1,
        says: denied,
      },
      {
        of: "nor has root of a user namespace of their own",
        by: { "namespace uid": 0, uid: 1003 },
        code: 1,
        says: denied,
      },
      {
        of: "nor has a user namespace with a list of users of its own",
        by: { "namespace uid": 1003, uid: 1003, three: "pair" },
        code: 2,
        says: /allows nobody/,
      },
    ]);
  });

  describe("what a process inherits", () => {
    const had = { code: 0, hears: all };
    rows([
      ...inherited.map((its) => ({ ...its, ...had })),
      {
        of: "a timer that is to end it",
        by: { alarm: 1, three: "full" },
        code: 1,
        says: /nobody reads/,
      },
      { of: "closed 0", by: { closed: [0] }, ...had },
      { of: "closed 0 to 2", by: { closed: [0, 1, 2] }, ...had },
      {
        of: "no more descriptors than it was given",
        by: { limits: { NOFILE: [4, 4] } },
        code: 2,
        says: /cannot be read/,
      },
      {
        of: "room for one descriptor more",
        by: { limits: { NOFILE: [5, 5] } },
        code: 2,
        says: /cannot be read/,
      },
      { of: "no file may be written, ever", by: { limits: { FSIZE: [0, 0] } }, ...had },
      {
        of: "no reader of stderr, and a full pipe",
        by: { errors: "full", argv: ["bind", "22"] },
        code: 2,
      },
    ]);
    for (const limit of deadly) {
      const of = `a limit that lets no program run (${limit}) ends this one, or does nothing to it`;
      test(
        of,
        async () => {
          const { code, message } = await attack({ limits: { [limit]: [0, 0] } });
          expect(message?.text).toBe(code === 0 ? all : undefined);
          expect(deaths).toContain(code);
        },
        patience,
      );
    }
  });

  describe("the list of users", () => {
    const users = () => join(world.etc, "localhostess/users");
    const nobody = /allows nobody/;
    const cases: [of: string, change: () => void, code: number, says?: RegExp][] = [
      ["that is missing", () => rmSync(users()), 2, /allows nobody: it is missing/],
      ["that is empty", () => writeFileSync(users(), ""), 2, /does not allow/],
      ["that its group can write", () => chmodSync(users(), 0o664), 2, nobody],
      ["that everybody can write", () => chmodSync(users(), 0o646), 2, nobody],
      ["that is somebody else's", () => chownSync(users(), 1000, 0), 2, nobody],
      ["that only root can read", () => chmodSync(users(), 0o600), 2, /cannot be read/],
      [
        "that is a symbolic link to a good one",
        () => {
          renameSync(users(), `${users()}.good`);
          symlinkSync("users.good", users());
        },
        2,
        nobody,
      ],
      [
        "that is a folder",
        () => {
          rmSync(users());
          mkdirSync(users());
        },
        2,
        nobody,
      ],
      [
        "whose folder others can write",
        () => chmodSync(join(world.etc, "localhostess"), 0o777),
        2,
        nobody,
      ],
      [
        "whose folder is somebody else's",
        () => chownSync(join(world.etc, "localhostess"), 1000, 0),
        2,
        nobody,
      ],
      [
        "that is cut off in the number",
        () => writeFileSync(users(), "0\n100"),
        2,
        /does not allow/,
      ],
      [
        "that is cut off behind the right",
        () => writeFileSync(users(), "1000 ports"),
        2,
        /does not allow/,
      ],
      [
        "with the number in other forms",
        () =>
          writeFileSync(
            users(),
            "01000 ports\n+1000 ports\n1000,ports\n0x3e8 ports\n4294968296 ports\n",
          ),
        2,
        /does not allow/,
      ],
      [
        "with the right in other forms",
        () =>
          writeFileSync(users(), "1000 Ports port portss ports\0\n1000\n ports\n1000 # ports\n"),
        2,
        /does not allow/,
      ],
      [
        "with a carriage return",
        () => writeFileSync(users(), "1000 ports\r\n"),
        2,
        /does not allow/,
      ],
      [
        "larger than 64 KiB",
        () => writeFileSync(users(), `1000 ports\n${"#".repeat(70_000)}`),
        2,
        /larger than/,
      ],
      [
        "with tabs, comments and the right behind others",
        () => writeFileSync(users(), "# a\n\t1000\thosts \t ports # b\n"),
        0,
      ],
    ];
    for (const [of, change, code, says] of cases) {
      test(
        of,
        async () => {
          prepareEtc(world);
          change();
          holds(await attack(), { code, ...(says ? { says } : { hears: all }) });
        },
        patience,
      );
    }
    test("that is a pipe is looked at, and not waited for", async () => {
      prepareEtc(world);
      rmSync(users());
      await world.command("mkfifo", "-m", "644", "/etc/localhostess/users");
      holds(await attack(), { code: 2, says: nobody });
    });

    test("that is swapped for links, pipes and loose files all the time: never what another wrote", async () => {
      prepareEtc(world);
      const good = { kind: "file", text: usersBefore };
      const { codes, texts } = await world.order<{
        codes: Record<string, number>;
        texts: Record<string, number>;
      }>("swap", {
        seconds: Number(process.env.LOCALHOSTESS_SWAP_SECONDS ?? 1.5),
        paths: {
          "/etc/localhostess/users": [
            { kind: "file", text: "# nobody\n" },
            { kind: "link", to: "/mnt/users" },
            { kind: "fifo" },
            { kind: "file", text: "1003 ports\n", mode: 0o666 },
            good,
          ],
        },
        attacks: [
          { program: "localhostess-helper", argv: words("bind", "80"), uid: 1003 },
          { program: "localhostess-helper", argv: words("bind", "80"), uid: 1000 },
        ],
      });
      expect(Object.keys(codes).filter((code) => code !== "0" && code !== "2")).toEqual([]);
      expect(
        Object.keys(texts).filter(
          (text) => /1003/.test(text) && !/does not allow user 1003/.test(text),
        ),
      ).toEqual([]);
      // User 1003 is in no list of root's, and comes first of each two.
      expect(codes["2"]).toBeGreaterThanOrEqual(codes["0"] ?? 0);
    }, 120_000);
  });

  test("the programs take nothing of the environment: no name of a variable is in them", () => {
    const bytes = readFileSync(join(world.etc, "../mnt/localhostess-helper"), "latin1");
    expect(/LD_PRELOAD|LD_LIBRARY_PATH|GLIBC_TUNABLES/.test(bytes)).toBe(false);
  });
});

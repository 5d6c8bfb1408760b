import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { deadly, deaths, holds, inherited, patience, type Row, rows as table } from "./rows.ts";
import {
  type Attack,
  byAttack,
  canAttack,
  canRaise,
  helperWorld,
  hostsBefore,
  hostsNow,
  type Outcome,
  prepareEtc,
  type World,
} from "./world.ts";

/** The hosts file with the names of a user. */
function withBlock(names: readonly string[], { uid = 1000, before = hostsBefore } = {}): string {
  const lines = names.flatMap((name) => [`127.0.0.1 ${name}`, `::1 ${name}`]);
  return `${before}${[`# BEGIN localhostess ${uid}`, ...lines, `# END localhostess ${uid}`].join("\n")}\n`;
}

describe.skipIf(!canAttack)(`attacks on the helper for the hosts file${byAttack}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await helperWorld();
  }, patience);
  afterAll(() => world?.[Symbol.asyncDispose]());
  beforeEach(() => prepareEtc(world));

  const asked = (by: Partial<Attack> = {}): Attack => ({
    program: "localhostess-hosts",
    argv: ["localhostess-hosts", world.version, "write"],
    stdin: "api.localhost\n.\n",
    ...by,
  });
  const attack = (by: Partial<Attack> = {}): Promise<Outcome> => world.attack(asked(by));

  /** An attack that is refused leaves the file as it was; one that is carried out, the block. */
  const rows = (its: readonly Row[]): void =>
    table(its, {
      attack,
      checks: ({ code, by }) =>
        expect(hostsNow(world)).toBe(
          code === 0 ? withBlock(["api.localhost"], { uid: by.uid ?? 1000 }) : hostsBefore,
        ),
    });

  describe("another user", () => {
    const no = (uid: number) => new RegExp(`users does not allow user ${uid} hosts.*setup --hosts`);
    rows([
      { of: "one who is listed is written for", by: {}, code: 0 },
      { of: "one who is not listed is refused", by: { uid: 1003 }, code: 2, says: no(1003) },
      { of: "one who is listed for ports only", by: { uid: 1001 }, code: 2, says: no(1001) },
      {
        of: "one who is in root's group",
        by: { uid: 1003, groups: [0] },
        code: 2,
        says: no(1003),
      },
      { of: "one who is listed for the hosts file only", by: { uid: 1002 }, code: 0 },
      { of: "root needs no list", by: { uid: 0 }, code: 0 },
      {
        of: "a copy of the program has no right",
        by: { program: "localhostess-hosts.plain" },
        code: 1,
        says: /no rights: localhostess setup --hosts/,
      },
      {
        of: "nor has a process that may gain none",
        by: { "no new privileges": true },
        code: 1,
        says: /no rights/,
      },
      {
        of: "nor has a user namespace with an /etc of its own",
        by: { uid: 1003, "namespace uid": 1003 },
        code: 1,
        says: /no rights/,
      },
    ]);
    test(
      "root of a user namespace writes into their own hosts file only",
      async () => {
        await attack({ uid: 1003, "namespace uid": 0 });
        expect(hostsNow(world)).toBe(hostsBefore);
      },
      patience,
    );
  });

  describe("arguments", () => {
    const version = () => world.version;
    const cases: [of: string, argv: () => string[], expected: Omit<Row, "of" | "by">][] = [
      ["none at all, not even a name", () => [], { code: 2, says: /usage: / }],
      ["its own name alone", () => ["x"], { code: 2, says: /usage: / }],
      ["no word", () => ["x", version()], { code: 2, says: /the only request is write/ }],
      [
        "another word",
        () => ["x", version(), "bind"],
        { code: 2, says: /the only request is write/ },
      ],
      [
        "a name as an argument",
        () => ["x", version(), "write", "evil.com"],
        { code: 2, says: /too many/ },
      ],
      [
        "ten thousand of them",
        () => ["x", version(), "write", ...Array.from({ length: 10_000 }, () => "a")],
        { code: 2, says: /too many/ },
      ],
      ["another version", () => ["x", "0.0.1", "write"], { code: 3 }],
      ["the version alone", () => ["x", "--version"], { code: 0 }],
    ];
    for (const [of, argv, expected] of cases) {
      test(
        of,
        async () => {
          const outcome = await attack({ argv: argv() });
          holds(outcome, expected);
          expect(outcome.out).toBe(expected.code === 2 ? "" : `${version()}\n`);
          expect(hostsNow(world)).toBe(hostsBefore);
        },
        patience,
      );
    }
  });

  describe("names that are refused", () => {
    const no = /" is no name below localhost or below a domain in \/etc\/localhostess\/domains\n$/;
    const bad: [of: string, name: string][] = [
      ["localhost itself", "localhost"],
      ["a domain itself", "test"],
      ["a domain of somebody else's", "bank.com"],
      ["localhost in the middle", "x.localhost.evil.com"],
      ["localhost at the end of a label", "xlocalhost"],
      ["a domain at the end of a label", "a.xtest"],
      ["a dot at the end", "a.localhost."],
      ["a dot at the start", ".localhost"],
      ["two dots", "a..localhost"],
      ["an upper-case letter", "A.localhost"],
      ["a label of 64 bytes", `${"a".repeat(64)}.localhost`],
      [
        "254 bytes",
        `${"a".repeat(60)}.${`${"b".repeat(60)}.`.repeat(3)}localhost`.padStart(254, "c"),
      ],
      ["a hyphen at the start", "-a.localhost"],
      ["a hyphen at the end of a label", "a-.localhost"],
      ["an underscore", "a_b.localhost"],
      ["a space, and another name", "a.localhost bank.com"],
      ["a tab, and another name", "a.localhost\tbank.com"],
      ["a carriage return", "a.localhost\r"],
      ["a NUL, and another name", "a.localhost\0.bank.com"],
      ["a vertical tab", "a\v.localhost"],
      ["an escape for the terminal", "\x1b[2Ja.localhost"],
      ["a byte above 127", "\xe9.localhost"],
      ["a comment", "a.localhost#"],
      ["an address", "127.0.0.1"],
      ["an address of IPv6", "::1"],
      ["a star", "*.localhost"],
      ["our own marker", "# END localhostess 1000"],
      ["an empty line", ""],
      ["a newline, and a line of their own", "a.localhost\n10.0.0.1 bank.com"],
      ["two dots alone", ".."],
      ["a path", "../../etc/passwd"],
    ];
    rows(
      bad.map(([of, name]) => ({
        of,
        by: { stdin: `good.localhost\n${name}\n.\n` },
        code: 2,
        says: no,
      })),
    );
    test(
      "a bad domain in root's list offers nothing",
      async () => {
        const domains = "com.\n.com\nCOM\n*.com\ncom com\n-com\n\ncom\r\n#com\nnet";
        prepareEtc(world, { domains });
        for (const name of ["bank.com", "a.net"]) {
          holds(await attack({ stdin: `${name}\n.\n` }), { code: 2, says: no });
        }
      },
      patience,
    );
    test(
      "a list of domains that others can write offers nothing",
      async () => {
        await world.command("chmod", "666", "/etc/localhostess/domains");
        holds(await attack(), {
          code: 2,
          says: /domains: it, or a folder above it, is not root's/,
        });
        expect(hostsNow(world)).toBe(hostsBefore);
      },
      patience,
    );
  });

  describe("names that are written", () => {
    const longest = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(51)}.localhost`;
    const good: [of: string, names: string[], written?: string[]][] = [
      [
        "each once, in the order of their bytes",
        ["b.test", "a.localhost", "b.test"],
        ["a.localhost", "b.test"],
      ],
      [
        "digits, hyphens and punycode",
        ["1.localhost", "a--b.localhost", "xn--bcher-kva.localhost"],
      ],
      ["253 bytes, and labels of 63", [longest]],
      ["many labels", [`${"a.".repeat(121)}localhost`]],
      [
        "a thousand",
        Array.from({ length: 1000 }, (_, i) => `n${String(i).padStart(4, "0")}.localhost`),
      ],
      [
        "with domains that have comments around them",
        ["a.shop.example", "b.test"],
        ["a.shop.example", "b.test"],
      ],
    ];
    for (const [of, names, written = names] of good) {
      test(
        of,
        async () => {
          prepareEtc(world, { domains: "# ours\n shop.example\t# the shop\ntest\n" });
          holds(await attack({ stdin: `${names.join("\n")}\n.\n` }), { code: 0 });
          expect(hostsNow(world)).toBe(withBlock(written));
        },
        patience,
      );
    }
  });

  describe("standard input", () => {
    rows([
      { of: "cut off before the dot", by: { stdin: "api.localhost\n" }, code: 2, says: /cut off/ },
      {
        of: "cut off behind the dot, before its newline",
        by: { stdin: "api.localhost\n." },
        code: 2,
        says: /cut off/,
      },
      {
        of: "a dot with a carriage return",
        by: { stdin: "api.localhost\n.\r\n" },
        code: 2,
        says: /cut off/,
      },
      { of: "empty", by: { stdin: "" }, code: 2, says: /cut off/ },
      { of: "closed", by: { closed: [0] }, code: 2, says: /cut off/ },
      {
        of: "endless lines",
        by: { stdin: "a.localhost\n", "stdin kind": "endless" },
        code: 2,
        says: /more than 64 KiB/,
      },
      {
        of: "an endless line",
        by: { stdin: "a", "stdin kind": "endless" },
        code: 2,
        says: /more than 64 KiB/,
      },
      {
        of: "endless zeros",
        by: { stdin: "\0\0\0\0", "stdin kind": "endless" },
        code: 2,
        says: /more than 64 KiB/,
      },
      {
        of: "a thousand names and one",
        by: { stdin: `${Array.from({ length: 1001 }, (_, i) => `n${i}.localhost\n`).join("")}.\n` },
        code: 2,
        says: /more than 1000 names/,
      },
      {
        of: "more behind the dot is not read",
        by: { stdin: "api.localhost\n.\nbank.com\n.\n" },
        code: 0,
      },
    ]);
  });

  describe("what a process inherits", () => {
    rows([
      ...inherited.map((its) => ({ ...its, code: 0 })),
      {
        of: "no more descriptors than it was given, for now",
        by: { limits: { NOFILE: [3, 64] } },
        code: 0,
      },
      {
        of: "no more descriptors than it was given, ever",
        by: { limits: { NOFILE: [3, 3] } },
        ...(canRaise ? { code: 0 } : { code: 2, says: /cannot be read/ }),
      },
      {
        of: "no file may be written, ever",
        by: { limits: { FSIZE: [0, 0] } },
        ...(canRaise ? { code: 0 } : { code: 1, says: /File too large; nothing was changed/ }),
      },
      {
        of: "a file may have 64 bytes",
        by: { limits: { FSIZE: [64, 64] } },
        ...(canRaise ? { code: 0 } : { code: 1, says: /File too large; nothing was changed/ }),
      },
      { of: "closed 1 and 2", by: { closed: [1, 2] }, code: 0 },
      { of: "descriptor 3 is a folder", by: { three: "folder" }, code: 0 },
      {
        of: "no reader of stderr, and a full pipe",
        by: { errors: "full", stdin: "bank.com\n.\n" },
        code: 2,
      },
    ]);
    for (const limit of deadly) {
      const of = `a limit that lets no program run (${limit}) ends this one, or does nothing to it`;
      test(
        of,
        async () => {
          const { code } = await attack({ limits: { [limit]: [0, 0] } });
          expect(deaths).toContain(code);
          // The end may come right behind the rename.
          const may = [...(code === 0 ? [] : [hostsBefore]), withBlock(["api.localhost"])];
          expect(may).toContain(hostsNow(world));
        },
        patience,
      );
    }
  });
});

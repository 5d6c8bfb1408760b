import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { editedHosts } from "../../src/helper/hosts-text.ts";
import { holds, patience } from "./rows.ts";
import {
  type Attack,
  byAttack,
  canAttack,
  helperWorld,
  hostsBefore,
  hostsNow,
  type Outcome,
  prepareEtc,
  type World,
} from "./world.ts";

const block = (name: string, uid = 1000) =>
  `# BEGIN localhostess ${uid}\n127.0.0.1 ${name}\n::1 ${name}\n# END localhostess ${uid}\n`;

describe.skipIf(!canAttack)(`the hosts file in any state${byAttack}`, () => {
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
  const remove = () => attack({ stdin: ".\n" });
  const hosts = () => join(world.etc, "hosts");
  const its = (name: string, run: () => Promise<void> | void, time = patience) =>
    test(name, async () => await run(), time);
  const write = (text: string) => writeFileSync(hosts(), Buffer.from(text, "latin1"));

  describe("what a person has in it is kept", () => {
    const texts: [of: string, text: string][] = [
      ["with a newline at its end", hostsBefore],
      ["without one", "127.0.0.1 localhost"],
      ["empty", ""],
      ["a newline alone", "\n"],
      ["with carriage returns", "127.0.0.1 localhost\r\n10.0.0.1 db\r\n"],
      ["with a carriage return alone at its end", "127.0.0.1 localhost\r"],
      ["with bytes of no encoding", "\xff\xfe # \x80\n10.0.0.1\tdb\x01\n"],
      ["with blank lines at its end", "127.0.0.1 localhost\n\n\n"],
      ["with a line of 100,000 bytes", `# ${"x".repeat(100_000)}\n`],
      [
        "with blocks of others, the last without a newline",
        `a\n${block("b.localhost", 1)}c\n${block("d.localhost", 2).trimEnd()}`,
      ],
      [
        "with comments that look like ours",
        "# BEGIN localhostess's\n# begin localhostess 1000\n #BEGIN localhostess 1000\n",
      ],
    ];
    for (const [of, text] of texts) {
      its(`${of}: added, written again, changed and removed, and it is as before`, async () => {
        write(text);
        holds(await attack(), { code: 0 });
        const added = hostsNow(world);
        expect(added).toContain(block("api.localhost").trimEnd());
        expect(added.startsWith(text)).toBe(true);
        // Root's own way, without the program, has the same rules.
        const byText = editedHosts(text, { uid: 1000, names: ["api.localhost"] });
        expect(byText).toEqual({ kind: "text", text: added, leftOut: [] });
        const { ino, mtimeMs } = statSync(hosts());
        holds(await attack(), { code: 0 });
        // Not even written again.
        expect(statSync(hosts())).toMatchObject({ ino, mtimeMs });
        holds(await attack({ stdin: "other.localhost\n.\n" }), { code: 0 });
        expect(hostsNow(world)).toBe(added.replaceAll("api.localhost", "other.localhost"));
        holds(await remove(), { code: 0 });
        expect(hostsNow(world)).toBe(text);
      });
    }
    its("a block in the middle stays there, and what stands around it", async () => {
      write(`a\n${block("old.localhost")}${block("api.localhost", 1)}z`);
      holds(await attack(), { code: 0 });
      expect(hostsNow(world)).toBe(`a\n${block("api.localhost")}${block("api.localhost", 1)}z`);
      holds(await remove(), { code: 0 });
      expect(hostsNow(world)).toBe(`a\n${block("api.localhost", 1)}z`);
    });
    its("a block that an editor gave carriage returns is found", async () => {
      write(`a\r\n${block("old.localhost").replaceAll("\n", "\r\n")}z\r\n`);
      holds(await attack(), { code: 0 });
      expect(hostsNow(world)).toBe(`a\r\n${block("api.localhost")}z\r\n`);
    });
    its("mode and attributes", async () => {
      chmodSync(hosts(), 0o640);
      await world.command(
        "python3",
        "-c",
        "import os; os.setxattr('/etc/hosts', 'user.note', b'kept\\0')",
      );
      holds(await attack(), { code: 0 });
      expect(statSync(hosts())).toMatchObject({ mode: 0o100640, uid: 0, gid: 0 });
      await world.command(
        "python3",
        "-c",
        "import os; assert os.getxattr('/etc/hosts', 'user.note') == b'kept\\0'",
      );
    });
    its("a name that a line of theirs has is left out, and said", async () => {
      write("10.0.0.1 db.test DB2.test. # api.localhost\n192.168.0.1\tw.test\r\n");
      const names = "api.localhost\ndb.test\ndb2.test\nw.test\n.\n";
      holds(await attack({ stdin: names }), {
        code: 0,
        says: /^localhostess-hosts: left out, as other lines of \/etc\/hosts have them \(3\): db\.test db2\.test w\.test\n$/,
      });
      expect(hostsNow(world)).toEndWith(block("api.localhost"));
      write("10.0.0.1 api.localhost\n");
      holds(await attack(), { code: 0, says: /left out/ });
      expect(hostsNow(world)).toBe("10.0.0.1 api.localhost\n");
    });
  });

  describe("never rewritten", () => {
    const begin = "# BEGIN localhostess 1000\n";
    const end = "# END localhostess 1000\n";
    const torn: [of: string, text: string, says: RegExp][] = [
      [
        "a block without its end",
        `a\n${begin}127.0.0.1 a.localhost\n`,
        /line 2: this block does not end: put its END/,
      ],
      [
        "a block that is cut off in its end",
        `${begin}# END localhostess 100`,
        /line 2: a block ends that did not begin/,
      ],
      [
        "an end without its block",
        `a\nb\n${end}`,
        /line 3: a block ends that did not begin here: delete this END/,
      ],
      [
        "a block inside another",
        `${begin}${block("a.localhost", 1)}${end}`,
        /line 2: a block begins inside another/,
      ],
      [
        "a block that another's end ends",
        `${begin}# END localhostess 1\n`,
        /line 2: a block ends that did not begin/,
      ],
      [
        "a block that is there twice",
        block("a.localhost").repeat(2),
        /line 5: this user has a block already/,
      ],
      [
        "another user's block that is torn",
        "# BEGIN localhostess 7\n",
        /line 1: this block does not end/,
      ],
      [
        "a marker without a user",
        "# BEGIN localhostess\n",
        /line 1: this marker was changed: mend or delete it/,
      ],
      [
        "a marker with more behind it",
        "# BEGIN localhostess 1000 \n",
        /line 1: this marker was changed/,
      ],
      [
        "a marker with zeros in front of its number",
        "# END localhostess 01000\n",
        /line 1: this marker was changed/,
      ],
      ["a NUL byte", "127.0.0.1 localhost\n\0\n", /has a NUL byte; nothing was changed/],
    ];
    for (const [of, text, says] of torn) {
      its(`${of}, neither to add nor to remove`, async () => {
        write(text);
        for (const outcome of [await attack(), await remove()]) {
          holds(outcome, { code: 1, says });
          expect(outcome.err).toMatch(/nothing was changed\n$/);
        }
        const byText = editedHosts(text, { uid: 1000, names: [] });
        expect(byText.kind).toBe("torn");
        expect(says.source).toContain(
          byText.kind === "torn" && !/NUL/.test(byText.why) ? `line ${byText.line}:` : "NUL",
        );
        expect(hostsNow(world)).toBe(text);
      });
    }

    const states: [of: string, change: () => void | Promise<void>, says: RegExp][] = [
      ["one that is missing", () => rmSync(hosts()), /hosts cannot be read: No such file/],
      [
        "one that root cannot read",
        () => chmodSync(hosts(), 0),
        /hosts cannot be read: Permission denied/,
      ],
      [
        "a symbolic link",
        () => {
          renameSync(hosts(), `${hosts()}.real`);
          symlinkSync("hosts.real", hosts());
        },
        /symbolic link, so another program makes it/,
      ],
      [
        "a link to a file of root's",
        () => {
          rmSync(hosts());
          symlinkSync("/etc/localhostess/users", hosts());
        },
        /symbolic link/,
      ],
      [
        "a folder",
        () => {
          rmSync(hosts());
          mkdirSync(hosts());
        },
        /is no plain file/,
      ],
      [
        "a pipe",
        async () => {
          rmSync(hosts());
          await world.command("mkfifo", "/etc/hosts");
        },
        /is no plain file/,
      ],
      [
        "one that is somebody else's",
        () => chownSync(hosts(), 1000, 0),
        /is not root's.*chown 0:0/,
      ],
      ["one of another group", () => chownSync(hosts(), 0, 1000), /is not root's.*chown 0:0/],
      [
        "one of more than 16 MiB",
        () => truncateSync(hosts(), 16 * 1024 * 1024 + 1),
        /larger than 16 MiB/,
      ],
      [
        "one in a folder that others can write",
        () => chmodSync(world.etc, 0o777),
        /not root's alone/,
      ],
    ];
    for (const [of, change, says] of states) {
      its(of, async () => {
        await change();
        const before = readdirSync(world.etc).sort();
        try {
          const { code, err } = await attack();
          expect(err).toMatch(says);
          expect(code === 1 || code === 2).toBe(true);
        } finally {
          chmodSync(world.etc, 0o755);
          rmSync(`${hosts()}.real`, { force: true });
        }
        expect(readdirSync(world.etc).sort()).toEqual(
          before.filter((name) => name !== "hosts.real"),
        );
      });
    }
    its("one that is immutable: the answer says how to see that", async () => {
      await world.command("chattr", "+i", "/etc/hosts");
      try {
        holds(await attack(), { code: 1, says: /Operation not permitted \(lsattr \/etc\/hosts/ });
      } finally {
        await world.command("chattr", "-i", "/etc/hosts");
      }
      expect(hostsNow(world)).toBe(hostsBefore);
      expect(readdirSync(world.etc)).not.toContain(".hosts.localhostess");
    });
    its("without a folder of root's for the lock", async () => {
      rmSync(join(world.etc, "localhostess"), { recursive: true });
      holds(await attack({ uid: 0 }), {
        code: 1,
        says: /localhostess: it is missing.*setup --hosts/,
      });
      expect(hostsNow(world)).toBe(hostsBefore);
    });
  });

  describe("a disk", () => {
    its("that is full: the old text stays, and nothing beside it", async () => {
      await world.command("mount", "-t", "tmpfs", "-o", "size=128k,mode=755", "tmpfs", "/etc");
      try {
        prepareEtc(world);
        const folder = join(world.etc, "full");
        writeFileSync(folder, "");
        await world.command("sh", "-c", "cat /dev/zero > /etc/full || true");
        const { code, err } = await attack();
        expect(code, err).toBe(1);
        expect(err).toMatch(/No space left on device/);
        expect(hostsNow(world)).toBe(hostsBefore);
        expect(readdirSync(world.etc).sort()).toEqual(["full", "hosts", "localhostess"]);
      } finally {
        await world.command("umount", "/etc");
      }
    });
    its("that nobody may write on", async () => {
      await world.command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc");
      try {
        prepareEtc(world);
        await world.command("mount", "-o", "remount,ro", "/etc");
        holds(await attack(), { code: 1, says: /Read-only file system/ });
        expect(hostsNow(world)).toBe(hostsBefore);
      } finally {
        await world.command("umount", "/etc");
      }
    });
  });

  describe("a mount, as in containers", () => {
    /** The file itself is mounted, from a file system of `size`. */
    async function mounted(text: string, run: () => Promise<void>, size = "1m"): Promise<void> {
      await world.command("mkdir", "-p", "/mnt/disk");
      await world.command("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", "/mnt/disk");
      writeFileSync(join(world.etc, "../mnt/disk/hosts"), text);
      await world.command("mount", "--bind", "/mnt/disk/hosts", "/etc/hosts");
      try {
        await run();
      } finally {
        await world.command("umount", "/etc/hosts");
        await world.command("umount", "/mnt/disk");
      }
    }
    for (const [of, text] of [
      ["small", hostsBefore],
      ["large", `${"10.0.0.1 some.name\n".repeat(5_000)}z`],
    ] as const) {
      its(`${of}: is written in place, and comes back as it was`, async () => {
        await mounted(text, async () => {
          const { ino } = statSync(hosts());
          holds(await attack({ stdin: "api.localhost\nb.localhost\n.\n" }), { code: 0 });
          holds(await attack(), { code: 0 });
          expect(hostsNow(world).trimEnd()).toBe(
            `${text.trimEnd()}\n${block("api.localhost")}`.trimEnd(),
          );
          holds(await remove(), { code: 0 });
          expect(hostsNow(world)).toBe(text);
          expect(statSync(hosts()).ino).toBe(ino);
        });
        expect(readdirSync(join(world.etc, "localhostess")).sort()).toEqual([
          "domains",
          "hosts.lock",
          "users",
        ]);
        expect(readdirSync(world.etc).sort()).toEqual(["hosts", "localhostess"]);
      });
    }
    its("cut off in the middle: the answer names the copy of the text from before", async () => {
      write("# BEGIN localhostess 1\n127.0.0.1 a.lo");
      writeFileSync(join(world.etc, "localhostess/hosts.before"), hostsBefore);
      const says = /does not end.*hosts\.before has the text from before a cut\n$/;
      holds(await attack(), { code: 1, says });
      write(hostsBefore);
      holds(await attack(), { code: 0 });
      expect(readdirSync(join(world.etc, "localhostess"))).not.toContain("hosts.before");
    });
    its("on a disk that is full keeps its old text", async () => {
      await mounted(
        "x".repeat(4096),
        async () => {
          await world.command("sh", "-c", "cat /dev/zero > /mnt/disk/full || true");
          holds(await attack(), {
            code: 1,
            says: /which is a mount: No space left.*nothing was changed/,
          });
          expect(hostsNow(world)).toBe("x".repeat(4096));
        },
        "64k",
      );
    });
    its("that nobody may write on keeps it too", async () => {
      await mounted(hostsBefore, async () => {
        await world.command("mount", "-o", "remount,ro,bind", "/etc/hosts");
        holds(await attack(), { code: 1, says: /which is a mount: Read-only file system/ });
      });
    });
    its(
      "killed behind each call: old, new, or new with blank lines, and the next run mends it",
      async () => {
        for (const [before, stdin] of [
          [hostsBefore, "api.localhost\n.\n"],
          [`${hostsBefore}${block("api.localhost")}`, ".\n"],
        ] as const) {
          await mounted(before, async () => {
            const { texts, after } = await world.order<Everywhere>(
              "kill everywhere",
              asked({ stdin }),
            );
            const wanted =
              stdin === ".\n" ? hostsBefore : `${hostsBefore}${block("api.localhost")}`;
            // Blank lines at the end are all that a kill may add.
            const left = Object.keys(texts).map((text) => text.trimEnd());
            expect(new Set(left)).toEqual(new Set([before.trimEnd(), wanted.trimEnd()]));
            const mended = Object.keys(after).map(
              (key) => JSON.parse(key) as [number, string, string[]],
            );
            for (const [code, text, entries] of mended) {
              expect([code, text.trimEnd(), entries]).toEqual([
                0,
                wanted.trimEnd(),
                ["hosts", "localhostess"],
              ]);
            }
          });
        }
      },
    );
  });

  interface Everywhere {
    steps: number;
    texts: Record<string, number>;
    after: Record<string, number>;
  }

  describe("at any moment", () => {
    its(
      "killed behind each call: the old or the new text, whole, and the next run is done",
      async () => {
        const { steps, texts, after } = await world.order<Everywhere>("kill everywhere", asked());
        const wanted = `${hostsBefore}${block("api.localhost")}`;
        expect(steps).toBeGreaterThan(15);
        expect(Object.keys(texts).sort()).toEqual([hostsBefore, wanted].sort());
        // One outcome, whenever it was; and what the killed one left beside the file is gone.
        expect(Object.keys(after)).toEqual([
          JSON.stringify([0, wanted, ["hosts", "localhostess"]]).replaceAll(",", ", "),
        ]);
      },
    );

    its(
      "somebody else adds a line behind each call: theirs is lost in the last one or two at most",
      async () => {
        const { steps, lost, ours } = await world.order<Record<string, number>>(
          "edit everywhere",
          asked(),
        );
        expect(ours).toBe(steps);
        // Between the last look and the rename no call of the kernel is free of that.
        expect(lost).toBeLessThanOrEqual(2);
      },
    );

    its("twenty users at once: each has their block", async () => {
      const uids = Array.from({ length: 20 }, (_, i) => 2000 + i);
      prepareEtc(world, { users: uids.map((uid) => `${uid} hosts\n`).join("") });
      const outcomes = await world.order<Outcome[]>("crowd", {
        attacks: uids.map((uid) => asked({ uid, stdin: `n${uid}.localhost\n.\n` })),
      });
      for (const outcome of outcomes) holds(outcome, { code: 0 });
      const text = hostsNow(world);
      expect(text.startsWith(hostsBefore)).toBe(true);
      for (const uid of uids) expect(text).toContain(block(`n${uid}.localhost`, uid));
      expect(text).toHaveLength(hostsBefore.length + 20 * block("n2000.localhost", 2000).length);
    });

    its(
      "one stands still with the lock, another's input does not come: both are bounded",
      async () => {
        const order = world.order<{ other: Outcome; first: Outcome }>("stopped with lock", {
          attack: asked(),
          other: asked({ uid: 1002 }),
        });
        const silent = world.order<Outcome[]>("crowd", {
          attacks: [asked({ stdin: "api.localhost\n", "stdin kind": "open" })],
        });
        const { other, first } = await order;
        holds(other, {
          code: 1,
          says: /another localhostess-hosts has held .*hosts\.lock for 10 s/,
        });
        holds(first, { code: 0 });
        holds((await silent)[0]!, {
          code: 1,
          says: /stdin has not ended with a line "\." after 10 s; nothing was changed/,
        });
        expect(hostsNow(world)).toBe(`${hostsBefore}${block("api.localhost")}`);
      },
    );
  });

  describe("beside it", () => {
    const victim = () => join(world.etc, "localhostess/domains");
    its("a link in the place of the temporary file is removed, and not followed", async () => {
      symlinkSync("/etc/localhostess/domains", join(world.etc, ".hosts.localhostess"));
      holds(await attack(), { code: 0 });
      expect(readFileSync(victim(), "utf8")).toBe("test\n");
      expect(readdirSync(world.etc).sort()).toEqual(["hosts", "localhostess"]);
    });
    its("a folder in its place is said", async () => {
      mkdirSync(join(world.etc, ".hosts.localhostess"));
      try {
        holds(await attack(), {
          code: 1,
          says: /\.hosts\.localhostess: File exists; nothing was changed/,
        });
      } finally {
        rmSync(join(world.etc, ".hosts.localhostess"), { recursive: true });
      }
    });
    its("a link in the place of the lock is not followed", async () => {
      symlinkSync("/etc/localhostess/made", join(world.etc, "localhostess/hosts.lock"));
      holds(await attack(), { code: 1, says: /hosts\.lock: / });
      expect(readdirSync(join(world.etc, "localhostess"))).not.toContain("made");
      expect(hostsNow(world)).toBe(hostsBefore);
    });
    its(
      "paths that are swapped all the time: no other file is ever written",
      async () => {
        const secret = "# nobody\n";
        writeFileSync(join(world.etc, "../mnt/victim"), secret);
        const { codes } = await world.order<{ codes: Record<string, number> }>("swap", {
          seconds: Number(process.env.LOCALHOSTESS_SWAP_SECONDS ?? 1.5),
          paths: {
            "/etc/hosts": [
              { kind: "link", to: "/mnt/victim" },
              { kind: "fifo" },
              { kind: "file", text: hostsBefore },
            ],
            "/etc/localhostess/hosts.lock": [
              { kind: "link", to: "/mnt/victim" },
              { kind: "file", text: "" },
            ],
            "/etc/localhostess/users": [
              { kind: "link", to: "/mnt/victim" },
              { kind: "file", text: "1003 hosts\n", mode: 0o666 },
              { kind: "file", text: "1000 hosts\n" },
            ],
          },
          attacks: [asked(), asked({ uid: 1003 })],
        });
        expect(Object.keys(codes).filter((code) => !["0", "1", "2"].includes(code))).toEqual([]);
        expect(readFileSync(join(world.etc, "../mnt/victim"), "utf8")).toBe(secret);
        prepareEtc(world);
        for (const entry of readdirSync(world.etc)) {
          if (entry.startsWith("hosts.")) rmSync(join(world.etc, entry));
        }
      },
      120_000,
    );
  });
});

/** `localhostess use`, with a daemon, a repository with worktrees, and a server in each of two checkouts. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { repository } from "../support/repository.ts";
import { type Running, running } from "../support/running.ts";
import { uniqueName } from "../support/servers.ts";
import { cli } from "./cli.ts";

const name = uniqueName("use");
const fixture = join(import.meta.dir, "../e2e/fixtures/cwd-server.ts");
/** Starting a daemon and commands, on a busy machine. */
const patience = 60_000;

let base: string;
let place: DaemonPlace;
let servers: Running[];
let port: number;

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-use-")));
  mkdirSync(join(base, "shop"));
  const shop = await repository(join(base, "shop"));
  await shop.write("a", "");
  await shop.commit("one");
  await shop.git("worktree", "add", "--quiet", "-b", "fix/nav", "../shop-fix");
  await shop.git("worktree", "add", "--quiet", "-b", "old", "../shop-old");
  await shop.git("branch", "later");
  place = await daemonPlace();
  servers = await Promise.all(
    ["shop", "shop-fix"].map((folder) =>
      running([process.execPath, fixture], {
        env: { NAME: name },
        cwd: join(base, folder),
        ready: /^port \d+$/m,
      }),
    ),
  );
  port = (await place.start()).port;
}, patience);

afterAll(async () => {
  for (const server of servers ?? []) await server.end();
  await place?.[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
}, patience);

const use = (words: readonly string[], folder = "shop") =>
  cli(["use", ...words], { env: place.env, cwd: join(base, folder) });

/** The folder of the server that answers for the plain name, or the status. */
async function shown(fields: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { host: `${name}.localhost`, ...fields },
  });
  const text = await answer.text();
  return answer.ok ? text.slice(base.length + 1) : String(answer.status);
}

test(
  "use shows a worktree, lists what is shown, and -- ends it",
  async () => {
    expect(await shown()).toBe("shop");
    expect(await shown({ "Localhostess-Use": "fix-nav" })).toBe("shop-fix");
    const chosen = await use(["fix-nav"]);
    expect(chosen).toMatchObject({ code: 0, out: "" });
    expect(chosen.err).toBe(
      `${name}.localhost shows fix-nav in all browsers; to end it: localhostess use --\n`,
    );
    expect(await shown()).toBe("shop-fix");
    const { out } = await use([], "shop-old");
    expect(out).toContain("plain names show fix-nav; localhostess use -- ends it");
    expect(out).toMatch(new RegExp(`^\\* {2}fix-nav +fix-nav\\.${name} `, "m"));
    expect(out).toMatch(/^ {3}old +- /m);
    const why = await cli(["why", name, "--json"], { env: place.env });
    expect(JSON.parse(why.out).slice(2, 4)).toMatchObject([
      { ok: true, detail: expect.stringContaining(`so fix-nav.${name} answers for ${name}`) },
      { ok: true, detail: expect.stringContaining(`/shop-fix`) },
    ]);
    const rows = JSON.parse((await cli(["ls", "--json"], { env: place.env })).out);
    const origin = (its: string) => rows.find((row: { name: string }) => row.name === its).origin;
    expect(origin(name)).toEqual({ name, shown: false });
    expect(origin(`fix-nav.${name}`)).toEqual({ name, shown: true });
    expect((await use(["--"])).err).toBe(`${name}.localhost shows the main checkout again\n`);
    expect(await shown()).toBe("shop");
    expect((await use(["--"])).err).toBe("nothing was chosen\n");
  },
  patience,
);

test(
  "a worktree is meant by its branch or folder, and a name by itself, by its URL or by a worktree's own name",
  async () => {
    const of = async (words: readonly string[]) => {
      const { code, out } = await cli(["use", ...words, "--json"], { env: place.env });
      return code === 0 ? JSON.parse(out) : code;
    };
    const fixed = { worktree: "fix-nav", root: join(base, "shop-fix"), of: name, names: [name] };
    expect(await of(["fix/nav", name])).toEqual(fixed);
    expect(await of(["shop-fix", `http://fix-nav.${name}.localhost:9090/a`])).toEqual(fixed);
    expect(await cli(["use", "--", name], { env: place.env })).toMatchObject({ code: 0 });
    expect(await shown()).toBe("shop");
    for (const path of ["../shop-fix", "../shop-fix/", `${join(base, "shop-fix")}/.`]) {
      expect((await use([path])).code).toBe(0);
      expect(await shown()).toBe("shop-fix");
      expect(await use(["."])).toMatchObject({ code: 0 });
      expect(await shown()).toBe("shop");
    }
  },
  patience,
);

test(
  "what is no worktree, or no name with several checkouts, is an error with the nearest",
  async () => {
    const wrong = async (...words: string[]) => {
      const { code, err } = await use(words);
      return [code, err];
    };
    expect(await wrong("fxnav")).toEqual([
      1,
      "localhostess: no worktree is named fxnav; did you mean fix-nav?\n",
    ]);
    expect(await wrong("\x1b[2J")).toEqual([
      1,
      "localhostess: no worktree is named \\x1b[2J (there are: fix-nav and old)\n",
    ]);
    expect(await wrong("fix-nav", `${name}x`)).toEqual([
      1,
      `localhostess: no name with several checkouts is ${name}x; did you mean ${name}?\n`,
    ]);
    expect(await wrong("--", `${name}x`)).toEqual(await wrong("fix-nav", `${name}x`));
    expect(await wrong("../nowhere")).toEqual([
      1,
      "localhostess: no worktree is named ../nowhere (there are: fix-nav and old)\n",
    ]);
    expect(await wrong("later")).toEqual([
      1,
      "localhostess: the branch later is checked out nowhere; to make a worktree of it: localhostess worktree add later\n",
    ]);
    // The main checkout is on it.
    expect(await wrong("main")).toEqual([0, "nothing was chosen\n"]);
    expect((await wrong("a", "b", "c"))[0]).toBe(2);
    expect(await shown()).toBe("shop");
  },
  patience,
);

test(
  "a worktree without a server gets no answer of another, and a choice ends with its worktree",
  async () => {
    expect((await use(["old"])).err).toBe(
      `${name}.localhost is to show old, and no such server runs there, so that requests get a 404 until one does; to end it: localhostess use --\n`,
    );
    expect(await shown()).toBe("404");
    rmSync(join(base, "shop-old"), { recursive: true });
    await eventually("the choice ends", async () => (await shown()) === "shop");
    const { out } = await use(["--json"]);
    expect(JSON.parse(out)[0].shown).toEqual([]);
    expect(await Bun.file(join(place.directory, "daemon.log")).text()).toContain(
      "the worktree old is gone",
    );
  },
  patience,
);

/** `ls`, as it is usually typed, does without what it does not need: the same answers and errors, and less to load. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { inProcess } from "./in-process.ts";

const src = resolve(import.meta.dir, "../../src");
const root = mkdtempSync(join(tmpdir(), "lh-usual-ls-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Files of `src` that are loaded with one, and the packages. */
function loadedWith(file: string): string[] {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const found = new Set<string>();
  const add = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    if (!path.endsWith(".ts")) return;
    for (const { kind, path: to } of transpiler.scanImports(readFileSync(path, "utf8"))) {
      if (kind === "import-statement") add(to.startsWith(".") ? resolve(dirname(path), to) : to);
    }
  };
  add(join(src, file));
  return [...found].map((path) => (path.startsWith("/") ? relative(src, path) : path));
}

describe("a daemon that looks spares ls", () => {
  const loaded = [...loadedWith("cli/run.ts"), ...loadedWith("cli/servers/ls.ts")];

  test("the grammar, the scan, and all that names servers", () => {
    const heavy =
      /^(?:commander$|cli\/program|containers\/|supervisor\/|proxy\/|daemon\/|remote\/)/;
    const scan = /^discovery\/(?:procfs|lsof|services|inference|checkouts|claimed|names-file)\.ts$/;
    expect(loaded).toContain("cli/shared/look.ts");
    expect(loaded.filter((its) => heavy.test(its) || scan.test(its))).toEqual([]);
  });
});

test("where no daemon looks, engines, names that nobody gave and lsof are loaded if there are any", () => {
  const loaded = loadedWith("cli/shared/own-look.ts");
  expect(loaded).toContain("discovery/procfs.ts");
  const rare =
    /^(?:containers\/(?:engine-api|read-containers|container-claims)|discovery\/(?:lsof|inference))\.ts$/;
  expect(loaded.filter((its) => rare.test(its))).toEqual([]);
});

describe.each(["", "--json"])("ls %s", (more) => {
  const words = more === "" ? [] : [more];
  /** With an option, the grammar reads the words. */
  const each = [["ls", ...words], ["ls", "--scanner=auto", ...words], ...(more === "" ? [[]] : [])];
  const state = join(root, `state${more}`);

  test("answers", async () => {
    for (const argv of each) {
      const { code, out, err } = await inProcess(argv, { env: { LOCALHOSTESS_STATE_DIR: state } });
      expect([argv, code]).toEqual([argv, 0]);
      if (more === "") expect(err).toContain("the proxy is not running");
      else expect(Array.isArray(JSON.parse(out))).toBe(true);
    }
  });

  test("reports errors in its configuration alike", async () => {
    const file = join(root, "config.toml");
    writeFileSync(file, "port = 'x'\n");
    const env = { LOCALHOSTESS_STATE_DIR: state, LOCALHOSTESS_CONFIG: file };
    const [usual, ...others] = await Promise.all(each.map((argv) => inProcess(argv, { env })));
    expect(usual!.code).toBe(2);
    expect(usual!.err).toContain("port");
    for (const other of others) expect(other).toEqual(usual!);
  });
});

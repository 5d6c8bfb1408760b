/** The page's script: the one that was built with this version, and nothing that somebody else could have made. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pageScript, removeKeptScripts } from "../../src/dashboard/page-script.ts";

const root = resolve(import.meta.dir, "../..");

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "localhostess-page-script-")));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("it is the built one, is small, and fetches nothing from elsewhere", async () => {
  const text = await pageScript();
  expect(text).toBe(await readFile(join(root, "dist/page.js"), "utf8"));
  expect(text.length).toBeGreaterThan(20_000);
  expect(text.length).toBeLessThan(80_000);
  expect(text).not.toContain("jsxDEV");
  expect(text).not.toMatch(/\beval\(|new Function\(/);
  const urls = [...text.matchAll(/https?:\/\/[^"'`\s)]+/g)].map(([url]) => url);
  expect(urls.filter((url) => !url.includes("www.w3.org") && !url.includes("localhost"))).toEqual(
    [],
  );
});

test("in a clone that is not built, it says what to do; once that is done, it is the built one", async () => {
  await cp(
    join(root, "src/dashboard/page-script.ts"),
    join(folder, "src/dashboard/page-script.ts"),
  );
  const its: typeof import("../../src/dashboard/page-script.ts") = await import(
    join(folder, "src/dashboard/page-script.ts")
  );
  const app = { textContent: "" };
  new Function("document", await its.pageScript())({ getElementById: () => app });
  expect(app.textContent).toBe(
    `This page has not been built yet: run npm run page in ${folder}, then reload.`,
  );
  await mkdir(join(folder, "dist"));
  await writeFile(join(folder, "dist/page.js"), "built");
  expect(await its.pageScript()).toBe("built");
});

test("what earlier versions built and kept is removed, and nothing else is", async () => {
  const cache = join(folder, "cache");
  await removeKeptScripts(folder);
  await mkdir(cache);
  const kept = `page-${"0a".repeat(12)}.js`;
  for (const name of [kept, "page-port", "page-1.js", `${kept}.bak`]) {
    await writeFile(join(cache, name), "");
  }
  await removeKeptScripts(folder);
  expect((await readdir(cache)).sort()).toEqual([`${kept}.bak`, "page-1.js", "page-port"].sort());
  expect(await removeKeptScripts("/proc/self/nowhere")).toBeUndefined();
});

/** A clone, as far as the page is built from it. */
async function clone(): Promise<string> {
  for (const name of ["package.json", "tsconfig.json", "src"]) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

async function build(env: Record<string, string>): Promise<{ code: number; err: string }> {
  const child = Bun.spawn([process.execPath, "run", "page"], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const err = await child.stderr.text();
  return { code: await child.exited, err };
}

test("the build has nothing of the environment or of a .env in it, and goes by neither", async () => {
  await clone();
  await writeFile(join(folder, ".env"), "NODE_ENV=development\n");
  const { code } = await build({
    NODE_ENV: "development",
    BUN_OPTIONS: "--define=document.title:'evil'",
    BUN_PUBLIC_TOKEN: "secret",
  });
  expect(code).toBe(0);
  expect(await readdir(join(folder, "dist"))).toEqual(["page.js"]);
  expect(await readFile(join(folder, "dist/page.js"), "utf8")).toBe(await pageScript());
});

test("a build that fails leaves the page as it was", async () => {
  await clone();
  await mkdir(join(folder, "dist"));
  await writeFile(join(folder, "dist/page.js"), "before");
  await writeFile(join(folder, "src/dashboard/page/main.tsx"), "const = 1");
  const { code, err } = await build({});
  expect(code).not.toBe(0);
  expect(err).toContain("error");
  expect(await readdir(join(folder, "dist"))).toEqual(["page.js"]);
  expect(await readFile(join(folder, "dist/page.js"), "utf8")).toBe("before");
});

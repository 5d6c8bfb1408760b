import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jco } from "../../src/plugins/jco.ts";
import { keptFiles } from "../../src/plugins/kept-folder.ts";
import {
  ensureTranspiler,
  type Transpiler,
  transpilerFolder,
} from "../../src/plugins/transpiler.ts";
import { sha512Of, tarballOf } from "../support/tarball.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "localhostess-transpiler-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const vendor = "package/vendor/js-component-bindgen-component";
const bindgen = `import { environment } from '@bytecodealliance/preview2-shim/cli';
import { types } from "@bytecodealliance/preview2-shim/filesystem";
`;
const tarball = tarballOf([
  { path: `${vendor}.js`, text: bindgen },
  { path: `${vendor}.core.wasm`, text: "one" },
  { path: `${vendor}.core2.wasm`, text: "two" },
  { path: "package/LICENSE", text: "licence" },
  { path: "package/dist/index.js", text: "none of what is needed" },
]);
const pinned = { ...jco, sha512: sha512Of(tarball) };

type Given = { answer?: () => Response; sha512?: string; more?: Partial<{ cache: string }> };

/** Everything that is asked for, and what came of so many tries at once. */
async function ensured(
  { answer = () => new Response(tarball), sha512, more }: Given = {},
  count = 1,
): Promise<{ asked: string[]; outcomes: Transpiler[] }> {
  const asked: string[] = [];
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch({ url }) {
      asked.push(new URL(url).pathname);
      return answer();
    },
  });
  const outcomes = await Promise.all(
    Array.from({ length: count }, () =>
      ensureTranspiler({
        ...{ cache, pauses: [1, 1], ...more },
        env: { npm_config_registry: server.url.href, HOME: cache },
        pinned: sha512 === undefined ? pinned : { ...pinned, sha512 },
      }),
    ),
  );
  return { asked, outcomes };
}

function whyOf({ outcomes: [outcome] }: { outcomes: Transpiler[] }): string {
  expect(outcome!.kind).toBe("missing");
  return (outcome as Extract<Transpiler, { kind: "missing" }>).why;
}

const nothingKept = (): void => {
  expect(existsSync(transpilerFolder(cache))).toBe(false);
};

test("one package is fetched, from the registry that npm would ask, and no other one", async () => {
  const { asked, outcomes } = await ensured();
  const folder = transpilerFolder(cache);
  expect(outcomes).toEqual([{ kind: "transpiler", folder }]);
  expect(asked).toEqual(["/@bytecodealliance/jco-transpile/-/jco-transpile-0.15.0.tgz"]);
  expect([...(await keptFiles(folder))!.keys()].sort()).toEqual([
    "LICENSE",
    "bindgen.mjs",
    "js-component-bindgen-component.core.wasm",
    "js-component-bindgen-component.core2.wasm",
    "wasi.mjs",
  ]);
  const text = readFileSync(join(folder, "bindgen.mjs"), "utf8");
  expect(text).not.toContain("@bytecodealliance");
  expect(text.match(/"\.\/wasi\.mjs"/g)).toHaveLength(2);
});

test("once it is there, nobody is asked; two that fetch it at once keep one", async () => {
  const { outcomes } = await ensured({}, 2);
  const here = { kind: "transpiler" as const, folder: transpilerFolder(cache) };
  expect(outcomes).toEqual([here, here]);
  expect(readdirSync(join(cache, "plugins"))).toEqual(["jco-0.15.0"]);
  expect(await ensured()).toEqual({ asked: [], outcomes: [here] });
});

test("of a package with another hash, nothing is kept", async () => {
  const why = whyOf(await ensured({ sha512: sha512Of(Buffer.from("another")) }));
  expect(why).toContain("its hash is another; nothing of it was unpacked; ");
  nothingKept();
});

test("without a network, a sentence says what helps", async () => {
  const outcome = await ensureTranspiler({
    ...{ cache, pauses: [1, 1], pinned },
    env: { npm_config_registry: "http://127.0.0.1:1/", HOME: cache },
  });
  const why = whyOf({ outcomes: [outcome] });
  expect(why).toStartWith("plugins are run by jco 0.15.0, which is fetched once (2 MiB), and was");
  expect(why).toEndWith(
    "; go online, or let npm's registry setting name a registry that has it, and try again",
  );
  nothingKept();
});

test("a registry that has it not, or sends another thing, is named", async () => {
  const answer = (): Response => new Response("no", { status: 404 });
  expect(whyOf(await ensured({ answer }))).toMatch(/tgz was answered with status 404; go online/);
  nothingKept();
});

test("where the cache cannot be written, its folder is named", async () => {
  const file = join(cache, "file");
  writeFileSync(file, "");
  const why = whyOf(await ensured({ more: { cache: join(file, "cache") } }));
  expect(why).toMatch(/cannot be kept: \S+ cannot be written \(ENOTDIR\); let XDG_CACHE_HOME name/);
});

/** Heads of archives, as the system's own tar reads them. */
import { expect, test } from "bun:test";
import { padding, tarEnd, type TarEntry, tarHead } from "../../src/wire/tar-head.ts";

/** Lines of `tar -tv`: mode, size, path. */
async function listed(...entries: readonly TarEntry[]): Promise<string[]> {
  const parts = entries.flatMap((its) => [
    tarHead(its),
    new Uint8Array(its.size),
    padding(its.size),
  ]);
  const bytes = Buffer.concat([...parts, tarEnd]);
  const words = ["tar", "--numeric-owner", "--full-time", "--utc", "-tvf", "-"];
  const tar = Bun.spawn(words, {
    stdin: bytes,
    stdout: "pipe",
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  const text = await new Response(tar.stdout).text();
  expect(await tar.exited).toBe(0);
  return text.trimEnd().split("\n");
}

const modified = 1_700_000_000;
const file = { kind: "file", mode: 0o644, size: 3, modified } as const;

test("files, folders and links have their modes, and belong to root", async () => {
  expect(
    await listed(
      { kind: "folder", path: "src", mode: 0o2755, size: 0, modified },
      { ...file, path: "src/run.sh", mode: 0o4755 },
      { kind: "link", path: "src/link", target: "../x", mode: 0o777, size: 0, modified },
    ),
  ).toEqual([
    "drwxr-sr-x 0/0               0 2023-11-14 22:13:20 src/",
    "-rwsr-xr-x 0/0               3 2023-11-14 22:13:20 src/run.sh",
    "lrwxrwxrwx 0/0               0 2023-11-14 22:13:20 src/link -> ../x",
  ]);
});

test("names of any length and in any script come through, also those of links", async () => {
  const long = "x".repeat(99);
  const paths = [`${long}y`, `${long}yz`, `${long}/${long}/${long}`, "grüße/日本.txt", "a b"];
  const lines = await listed(...paths.map((path) => ({ ...file, path })));
  expect(lines.map((line) => line.slice(line.indexOf("22:13:20") + 9))).toEqual(paths);
  const target = `/${long}/${long}`;
  const [link] = await listed({ ...file, kind: "link", size: 0, path: "link", target });
  expect(link).toEndWith(`link -> ${target}`);
});

test("a file of more than eight gigabytes says its size in a record of its own", () => {
  const size = 8 ** 11;
  const head = tarHead({ ...file, path: "huge", size });
  expect(head.length).toBe(3 * 512);
  expect(Buffer.from(head.subarray(512, 540)).toString()).toStartWith(`19 size=${size}\n`);
  expect(tarHead({ ...file, path: "large", size: size - 1 }).length).toBe(512);
});

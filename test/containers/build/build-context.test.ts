/** Folders that an image is built from, as the system's own tar reads what is sent of them. */
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readContext } from "../../../src/containers/build/build-context.ts";
import { Unsendable } from "../../../src/containers/build/folder-archive.ts";

const root = mkdtempSync(join(tmpdir(), "context-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;

/** A new folder with these files. */
function folder(files: Readonly<Record<string, string>>): string {
  const its = join(root, String(count++));
  mkdirSync(its);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(its, path)), { recursive: true });
    writeFileSync(join(its, path), text);
  }
  return its;
}

type Sent = { lines: string[]; notes: string[]; dockerfile: string; bytes: Buffer };

async function sent(
  context: string,
  { dockerfile = "Dockerfile", onPiece }: { dockerfile?: string; onPiece?: () => void } = {},
): Promise<Sent> {
  const notes: string[] = [];
  const read = await readContext({ context, dockerfile, note: (text) => void notes.push(text) });
  if (read.kind === "bad") throw new Error(read.why);
  const pieces: Uint8Array[] = [];
  for await (const piece of read.context.archive()) {
    pieces.push(piece);
    onPiece?.();
  }
  const bytes = Buffer.concat(pieces);
  const tar = Bun.spawn(["tar", "-tf", "-"], { stdin: bytes, stdout: "pipe", stderr: "inherit" });
  const text = await new Response(tar.stdout).text();
  expect(await tar.exited).toBe(0);
  const lines = text.split("\n").filter(Boolean);
  return { lines, notes, dockerfile: read.context.dockerfile, bytes };
}

test("all of a folder is sent, in order, with its links as links and empty folders", async () => {
  const its = folder({ Dockerfile: "FROM scratch\n", "src/b.ts": "b", "src/a.ts": "a" });
  mkdirSync(join(its, "empty"));
  symlinkSync("/etc/passwd", join(its, "src/link"));
  symlinkSync("src", join(its, "loop"));
  const { lines, bytes } = await sent(its);
  const all = ["Dockerfile", "empty/", "loop", "src/", "src/a.ts", "src/b.ts", "src/link"];
  expect(lines).toEqual(all);
  expect(bytes.toString("latin1")).not.toContain("root:x:0");
});

test("a .dockerignore leaves out what it names, but never the Dockerfile or itself", async () => {
  const its = folder({
    "docker/Dockerfile": "FROM scratch\n",
    ".dockerignore": "*\n!src\nsrc/secret",
    "src/app.ts": "",
    "src/secret/key": "",
    "other/x": "",
  });
  const { lines, dockerfile } = await sent(its, { dockerfile: "docker/Dockerfile" });
  expect(lines).toEqual([".dockerignore", "docker/Dockerfile", "src/", "src/app.ts"]);
  expect(dockerfile).toBe("docker/Dockerfile");
});

test("the file of a Dockerfile's own counts more", async () => {
  const its = folder({
    "web.Dockerfile": "FROM scratch\n",
    "web.Dockerfile.dockerignore": "api",
    ".dockerignore": "web",
    "web/x": "",
    "api/x": "",
  });
  const { lines } = await sent(its, { dockerfile: "web.Dockerfile" });
  expect(lines).toEqual([
    ".dockerignore",
    "web/",
    "web/x",
    "web.Dockerfile",
    "web.Dockerfile.dockerignore",
  ]);
});

test("the repository's history is sent where a .dockerignore asks for it", async () => {
  const files = { Dockerfile: "FROM scratch\n", ".git/HEAD": "x", ".gitignore": "" };
  expect((await sent(folder(files))).lines).toEqual([".gitignore", "Dockerfile"]);
  const asked = folder({ ...files, ".dockerignore": "!.git" });
  expect((await sent(asked)).lines).toContain(".git/HEAD");
  const others = folder({ ...files, ".dockerignore": "docs\n!**/*.md", ".git/x.md": "" });
  expect((await sent(others)).lines).not.toContain(".git/x.md");
});

test("a Dockerfile outside the folder is sent too, and one that is called Containerfile", async () => {
  const its = folder({ Containerfile: "FROM scratch\n" });
  expect((await sent(its)).dockerfile).toBe("Containerfile");
  writeFileSync(join(root, "outside"), "FROM scratch\n");
  const { lines, dockerfile } = await sent(its, { dockerfile: "../outside" });
  expect(lines).toEqual([dockerfile, "Containerfile"]);
});

test("a pipe and a socket are left out, each with a note", async () => {
  const its = folder({ Dockerfile: "FROM scratch\n" });
  Bun.spawnSync(["mkfifo", join(its, "pipe")]);
  const server = Bun.listen({ unix: join(its, "socket"), socket: { data() {} } });
  const { lines, notes } = await sent(its);
  server.stop(true);
  expect(lines).toEqual(["Dockerfile"]);
  expect(notes).toEqual([
    "pipe is a named pipe, and is left out of the build",
    "socket is a socket, and is left out of the build",
  ]);
});

test("a file that shrinks or grows while it is sent leaves the archive whole", async () => {
  const large = "x".repeat(700_000);
  const its = folder({ Dockerfile: "FROM scratch\n", "a.bin": large, "z.txt": "the end" });
  const shrunk = await sent(its, { onPiece: () => truncateSync(join(its, "a.bin"), 300_000) });
  expect(shrunk.lines).toEqual(["Dockerfile", "a.bin", "z.txt"]);
  expect(shrunk.notes).toEqual(["a.bin became shorter while it was sent"]);
  writeFileSync(join(its, "a.bin"), large);
  const grown = await sent(its, {
    onPiece: () => writeFileSync(join(its, "a.bin"), large + large),
  });
  expect(grown.lines).toEqual(["Dockerfile", "a.bin", "z.txt"]);
  expect(grown.notes).toEqual([]);
  expect(grown.bytes.length).toBe(shrunk.bytes.length);
});

test("nothing is sent of a folder that is not there, has no Dockerfile or is a file", async () => {
  const note = (): void => {};
  const context = folder({ x: "" });
  const none = await readContext({ context, dockerfile: "Dockerfile", note });
  expect(none).toMatchObject({ why: expect.stringContaining("/Dockerfile to build from; write") });
  const gone = await readContext({ context: join(root, "no"), dockerfile: "Dockerfile", note });
  expect(gone).toMatchObject({ why: expect.stringMatching(/^there is no folder .*\/no to build/) });
  const file = await readContext({ context: join(context, "x"), dockerfile: "Dockerfile", note });
  expect(file).toMatchObject({ why: expect.stringContaining("is no folder") });
  const wrong = folder({ Dockerfile: "", ".dockerignore": "a\n[b" });
  const bad = await readContext({ context: wrong, dockerfile: "Dockerfile", note });
  expect(bad).toMatchObject({
    why: expect.stringMatching(/\.dockerignore: line 2: \[b is no pat/),
  });
});

// Root may read everything.
test.skipIf(process.getuid?.() === 0)(
  "a file that may not be read ends it, with the way out",
  async () => {
    const its = folder({ Dockerfile: "", data: "" });
    chmodSync(join(its, "data"), 0);
    const failed = sent(its);
    expect(failed).rejects.toBeInstanceOf(Unsendable);
    expect(failed).rejects.toThrow(
      "data cannot be read: permission denied; if the image does not need",
    );
  },
);

/** References of services and of project.toml -> buildpacks; repositories come from a real git, over HTTP. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
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
import { join } from "node:path";
import { findBuildpacks, type FindRequest } from "../../../src/build/buildpacks/find-buildpacks.ts";
import { detectGroups } from "../../../src/build/buildpacks/detect.ts";
import { readReference } from "../../../src/build/buildpacks/reference.ts";
import { emptyDescriptor, readDescriptor } from "../../../src/manifest/project-descriptor.ts";
import { gitServer, type GitServer } from "../../support/git-server.ts";
import { type Repository, repository } from "../../support/repository.ts";
import { tarballOf } from "../../support/tarball.ts";
import { writeShellBuildpack } from "../../support/shell-buildpack.ts";

let root: string;
let app: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "localhostess-find-")));
  app = join(root, "app");
  await mkdir(app);
});

afterEach(() => rm(root, { recursive: true, force: true }));

type Options = Partial<FindRequest> & { lines?: string[]; signal?: AbortSignal };

async function find(references: readonly string[], options: Options = {}) {
  const { lines = [], signal = new AbortController().signal, ...rest } = options;
  return await findBuildpacks(
    {
      ...{ app, directory: root, cache: join(root, "cache"), references },
      ...{ descriptor: emptyDescriptor, fresh: false },
      env: { PATH: process.env.PATH!, HOME: root },
      ...rest,
    },
    { signal, write: (line) => void lines.push(line) },
  );
}

type Found = Awaited<ReturnType<typeof find>>;

const why = (found: Found) => (found.kind === "failed" ? found.why : "found");
const order = (found: Found) =>
  found.kind === "found" ? found.order.map((group) => group.map(({ id }) => id)) : found.why;
const knownIds = (found: Found) =>
  found.kind === "found" ? found.known.map(({ id }) => id).sort() : found.why;
const component = (path: string, id: string) => writeShellBuildpack(join(root, path), { id });

function composite(path: string, id: string, ...parts: readonly string[]) {
  const entries = parts.map((part) => `[[order.group]]\nid = "${part}"\nversion = "1.0.0"\n`);
  const tables = `[[order]]\n${entries.join("")}`;
  return writeShellBuildpack(join(root, path), { id, tables, detect: undefined, build: undefined });
}

function described(text: string) {
  const read = readDescriptor(`[_]\nschema-version = "0.2"\n${text}`);
  if (read.kind === "mistakes") throw new Error(read.mistakes.join("\n"));
  return read.descriptor;
}

describe("folders", () => {
  test("relative to the project, whole, and by file://", async () => {
    await component("packs/a", "a");
    await component("packs/b", "b");
    await component("packs/c d", "c");
    const found = await find(["./packs/a", join(root, "packs/b"), `file://${root}/packs/c%20d`]);
    expect(order(found)).toEqual([["a", "b", "c"]]);
  });

  test("none, one that is missing, one without a buildpack: words with its name", async () => {
    expect(why(await find([]))).toBe(
      "no buildpack is named that could build it; name a folder or an address in buildpacks, or a group in project.toml",
    );
    expect(why(await find(["./nope"]))).toBe(`there is no folder ${root}/nope`);
    expect(why(await find(["."]))).toStartWith(`${root} is no buildpack`);
    await symlink("loop", join(root, "loop"));
    expect(why(await find(["./loop"]))).toContain("loop");
  });

  test("a composite's parts: those that are given, of its package.toml, in its folder, beside it", async () => {
    await component("given", "given");
    await component("far/away/packaged", "packaged");
    await component("meta/all/parts/inside", "inside");
    await component("meta/beside", "beside");
    const all = await composite("meta/all", "all", "given", "packaged", "inside", "beside");
    await writeFile(
      join(all, "package.toml"),
      '[[dependencies]]\nuri = "../../far/away/packaged"\n[[dependencies]]\nuri = "docker://example/image"\n',
    );
    const found = await find(["./given", "./meta/all"]);
    expect(knownIds(found)).toEqual(["all", "beside", "given", "inside", "packaged"]);
    expect(order(found)).toEqual([["given", "all"]]);
  });

  test("a composite in a composite brings its own parts; one that nobody has is told when it is expanded", async () => {
    await composite("outer", "outer", "inner", "missing");
    await composite("inner", "inner", "part");
    await component("inner/deep/part", "part");
    const found = await find(["./outer"]);
    expect(knownIds(found)).toEqual(["inner", "outer", "part"]);
    if (found.kind === "failed") throw new Error(found.why);
    const detected = await detectedIn(found);
    expect(detected).toMatchObject({
      why: expect.stringContaining("no buildpack missing, which outer@1.0.0 needs"),
    });
  });
});

describe("references (read, not looked at)", () => {
  const refused = (text: string) => {
    const its = readReference(text, "/p");
    return its.kind === "refused" ? its.why : its;
  };

  test("repositories: a tag, a branch or a commit behind #, and a folder behind a colon", () => {
    const git = { kind: "git", url: "https://example.com/a.git", ref: undefined, folder: "" };
    expect(readReference("https://example.com/a.git", "/p")).toEqual(git as never);
    expect(readReference("https://example.com/a.git#v1.2", "/p")).toEqual({
      ...git,
      ref: "v1.2",
    } as never);
    expect(readReference("https://example.com/a.git#feature/x:packs/node/", "/p")).toEqual({
      ...git,
      ref: "feature/x",
      folder: "packs/node",
    } as never);
    expect(readReference("http://127.0.0.1:8080/a#v1", "/p")).toMatchObject({
      kind: "git",
      ref: "v1",
    });
    expect(readReference("urn:buildpack:example/a@1.2.3", "/p")).toEqual({
      kind: "id",
      id: "example/a",
      version: "1.2.3",
    });
  });

  test("others are refused, each with what to do; a password is not repeated", () => {
    expect(refused("http://example.com/a#v1")).toBe(
      'the buildpack "http://example.com/a#v1" would be fetched without encryption; use https://',
    );
    expect(refused("docker://example/a")).toContain(
      "is an image; name a folder or a repository of git, or build in an engine",
    );
    expect(refused("./a.cnb")).toContain("is an image in a file");
    expect(refused("urn:cnb:registry:example/a")).toContain("is an image");
    expect(refused("from=builder:a")).toContain("is a part of a builder image");
    expect(refused("git@example.com:a.git")).toContain(
      "use https://, or clone it and name the folder",
    );
    expect(refused("ssh://example.com/a")).toContain("use https://");
    expect(refused("~/packs/a")).toContain("begins with ~");
    expect(refused("")).toContain("is no folder and no address");
    expect(refused("https://")).toContain("is no address");
    expect(refused("https://example.com/a#--upload-pack=x")).toContain("no tag, branch or commit");
    expect(refused("https://example.com/a#a..b")).toContain("no tag, branch or commit");
    expect(refused("https://example.com/a#v1:../up")).toContain("outside its repository");
    expect(refused("https://example.com/a#%")).toContain("a % that stands for no character");
    expect(refused("file://elsewhere/a")).toContain("such as file:///srv/node");
    const secret = refused("https://me:hunter2@example.com/a");
    expect(secret).toContain("the address of a buildpack at example.com has a password in it");
    expect(secret).not.toContain("hunter2");
  });
});

describe("project.toml (project-descriptor.md)", () => {
  test("its group, relative to the app; pre and post around it; references of the service in its place", async () => {
    for (const name of ["one", "two", "first", "last"]) await component(`app/packs/${name}`, name);
    await component("own", "own");
    const entry = (table: string, name: string) =>
      `[[io.buildpacks.${table}]]\nuri = "packs/${name}"\n`;
    const descriptor = described(
      entry("group", "one") +
        entry("group", "two") +
        entry("pre.group", "first") +
        entry("post.group", "last"),
    );
    expect(order(await find([], { descriptor }))).toEqual([["first", "one", "two", "last"]]);
    expect(order(await find(["./own"], { descriptor }))).toEqual([["first", "own", "last"]]);
  });

  test("an id with a version is one of those that are given", async () => {
    await component("own", "own");
    const descriptor = described('[[io.buildpacks.post.group]]\nid = "own"\nversion = "1.0.0"');
    expect(await find(["./own"], { descriptor })).toMatchObject({
      order: [[{ id: "own" }, { id: "own", version: "1.0.0" }]],
    });
  });

  test("inline: a buildpack that passes always, and whose build is the script; made once", async () => {
    const script = (inline: string) =>
      described(
        `[[io.buildpacks.group]]\nid = "example/inline"\n[io.buildpacks.group.script]\napi = "0.11"\nshell = "/bin/sh -e"\ninline = ${JSON.stringify(inline)}`,
      );
    const found = await find([], { descriptor: script("echo built\n") });
    if (found.kind === "failed") throw new Error(found.why);
    const [its] = found.known;
    expect(its).toMatchObject({ id: "example/inline", api: "0.11", clearEnv: false });
    expect(await readFile(join(its!.directory, "bin/build"), "utf8")).toBe(
      "#!/bin/sh -e\n\necho built\n\n",
    );
    const detected = await detectGroups(
      {
        ...{
          ...found,
          app,
          platform: root,
          scratch: join(root, "scratch"),
          env: {},
          variables: {},
        },
        machine: { os: "plan9", arch: "mips", variant: undefined, distro: undefined },
        execEnv: "production",
      },
      { write() {}, signal: new AbortController().signal },
    );
    expect(detected).toMatchObject({ kind: "passed", plan: [] });
    await find([], { descriptor: script("echo built\n") });
    expect(await readdir(join(root, "cache/buildpacks/inline"))).toHaveLength(1);
    await find([], { descriptor: script("echo other\n") });
    expect(await readdir(join(root, "cache/buildpacks/inline"))).toHaveLength(2);
  });

  test("inline, of an API that is not known: words with its line", async () => {
    const descriptor = described(
      '[[io.buildpacks.group]]\n[io.buildpacks.group.script]\napi = "0.5"\ninline = "x"',
    );
    expect(why(await find([], { descriptor }))).toBe(
      'project.toml:3: Buildpack API "0.5" is not known; write 0.10, 0.11 or 0.12',
    );
  });
});

describe("repositories of git", () => {
  let served: string;
  let server: GitServer;
  let repo: Repository;
  let first: string;
  let url: string;

  beforeAll(async () => {
    served = await realpath(await mkdtemp(join(tmpdir(), "localhostess-served-")));
    await mkdir(join(served, "node"));
    repo = await repository(join(served, "node"));
    await writeShellBuildpack(repo.directory, { id: "git/node" });
    await writeShellBuildpack(join(repo.directory, "packs/inner"), { id: "git/inner" });
    first = await repo.commit("first");
    await repo.git("tag", "v1");
    await repo.git("branch", "feature/x");
    server = gitServer(served);
    url = `${server.url}/node`;
  });

  afterAll(async () => {
    await server.stop();
    await rm(served, { recursive: true, force: true });
  });

  const directoryOf = (found: Found) =>
    found.kind === "found" ? found.known[0]!.directory : found.why;

  test("a tag, a branch, a commit, none: fetched once, by its commit; offline it stands", async () => {
    const lines: string[] = [];
    for (const ref of ["#v1", "#feature/x", `#${first}`, ""]) {
      const found = await find([`${url}${ref}`], { lines });
      expect(order(found)).toEqual([["git/node"]]);
      expect(directoryOf(found)).toEndWith(`/${first}`);
    }
    expect(lines).toEqual([`fetching ${url}#v1`, `fetching ${url}#feature/x`, `fetching ${url}`]);
    const asked = server.requests;
    await find([`${url}#v1`], { lines });
    expect([server.requests, lines.length]).toEqual([asked, 3]);
    const own = join(root, "cache/buildpacks/git");
    const [key] = await readdir(own);
    expect((await readdir(join(own, key!))).sort()).toEqual([first, "refs"].sort());
    expect(await readdir(join(own, key!, first))).not.toContain(".git");
  });

  test("a folder in it; without one, and no buildpack at its root, the folders are told", async () => {
    expect(order(await find([`${url}#v1:packs/inner`]))).toEqual([["git/inner"]]);
    expect(why(await find([`${url}#v1:packs`]))).toBe(
      `the folder packs of ${url}#v1 has no buildpack.toml; name a folder that has one (. and packs/inner): ${url}#v1:.`,
    );
  });

  test("a branch that has moved: the same commit until it is asked again", async () => {
    const branch = `${url}#moves`;
    await repo.git("branch", "moves", first);
    expect(directoryOf(await find([branch]))).toEndWith(first);
    await repo.git("checkout", "--quiet", "moves");
    await writeShellBuildpack(repo.directory, { id: "git/node", version: "2.0.0" });
    const second = await repo.commit("second");
    await repo.git("checkout", "--quiet", "main");
    expect(directoryOf(await find([branch]))).toEndWith(first);
    expect(directoryOf(await find([branch], { fresh: true }))).toEndWith(second);
    expect(directoryOf(await find([branch]))).toEndWith(second);
  });

  test("a tag that is not there, a server that is not there: words; the copy from before is used", async () => {
    expect(why(await find([`${url}#v9`]))).toContain(
      "cannot be fetched: couldn't find remote ref v9; name a tag, a branch or all 40 digits of a commit behind #",
    );
    const gone = gitServer(served);
    const its = `${gone.url}/node#v1`;
    expect(order(await find([its]))).toEqual([["git/node"]]);
    await gone.stop();
    const lines: string[] = [];
    expect(order(await find([its], { fresh: true, lines }))).toEqual([["git/node"]]);
    expect(lines.at(-1)).toEndWith(`; the copy from before is used, at commit ${first}`);
    expect(why(await find([`${gone.url}/node#feature/x`]))).toEndWith(
      "; once it was fetched, builds need no network",
    );
    const found = await find([its], { env: { PATH: root }, cache: join(root, "other") });
    expect(why(found)).toBe(`git, which fetches ${its}, was not found in PATH; install it`);
  });

  test("ended in the middle: nothing half is left, and the next one fetches it", async () => {
    const abort = new AbortController();
    server.hold(() => abort.abort());
    const found = await find([`${url}#v1`], { signal: abort.signal });
    server.release();
    expect(why(found)).toContain("was given up");
    const own = join(root, "cache/buildpacks/git");
    const [key] = await readdir(own);
    expect(await readdir(join(own, key!))).toEqual(["refs"]);
    expect(order(await find([`${url}#v1`]))).toEqual([["git/node"]]);
  });
});

describe("archives", () => {
  const toml = 'api = "0.11"\n[buildpack]\nid = "tar/node"\nversion = "1.0.0"\n';
  const release = (script = "exit 0") =>
    tarballOf([
      { path: "node-1.0/", type: "5" },
      { path: "node-1.0/buildpack.toml", text: toml },
      { path: "node-1.0/bin/run", text: `#!/bin/sh\n${script}\n`, mode: 0o755 },
      { path: "node-1.0/bin/detect", type: "2", target: "run" },
      { path: "node-1.0/bin/build", type: "2", target: "run" },
    ]);
  let server: Bun.Server<undefined>;
  let answer: (path: string) => Response | Promise<Response>;
  let requests = 0;

  beforeAll(() => {
    server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        requests++;
        return answer(new URL(request.url).pathname);
      },
    });
  });

  afterAll(() => server.stop(true));

  const at = (path: string) => `http://127.0.0.1:${server.port}${path}`;
  const cached = () => readdir(join(root, "cache/buildpacks/archives"));

  test("a release in one folder, with links in it: fetched once, and what it has can be run", async () => {
    answer = (path) =>
      path === "/moved.tgz" ? Response.redirect("/n.tgz") : new Response(release());
    const first = requests;
    const found = await find([at("/moved.tgz")]);
    expect(order(found)).toEqual([["tar/node"]]);
    await find([at("/moved.tgz")]);
    expect(requests - first).toBe(2);
    if (found.kind === "failed") throw new Error(found.why);
    const detected = await detectedIn(found);
    expect(detected.kind).toBe("passed");
  });

  test("asked again, it is the newer one; where there is none any longer, the one from before", async () => {
    answer = () => new Response(release());
    await find([at("/n.tgz")]);
    answer = () => new Response(release("exit 1"));
    await find([at("/n.tgz")], { fresh: true });
    expect((await cached()).filter((name) => !name.endsWith(".latest"))).toHaveLength(2);
    answer = () => new Response("", { status: 503 });
    const lines: string[] = [];
    expect(order(await find([at("/n.tgz")], { fresh: true, lines }))).toEqual([["tar/node"]]);
    expect(lines.at(-1)).toBe(
      `${at("/n.tgz")} was answered with status 503; the copy from before is used`,
    );
  });

  test("a hash behind #: another file is not taken", async () => {
    answer = () => new Response(release());
    const hash = new Bun.CryptoHasher("sha256").update(release()).digest("hex");
    expect(order(await find([`${at("/n.tgz")}#sha256=${hash}`]))).toEqual([["tar/node"]]);
    const other = await find([`${at("/n.tgz")}#sha256=${"0".repeat(64)}`]);
    expect(why(other)).toBe(
      `${at("/n.tgz")} is not the file that is meant: its SHA-256 is ${hash}`,
    );
    expect(why(await find([`${at("/n.tgz")}#v1`]))).toContain("is an archive, which has no tag");
  });

  test("one that is cut off, leads out, is none, or leads elsewhere: words, and nothing is left", async () => {
    const said = async (body: Uint8Array | (() => Response)) => {
      answer = () => (typeof body === "function" ? body() : new Response(body));
      const text = why(await find([at("/n.tgz")]));
      expect(text).toStartWith(at("/n.tgz"));
      return text;
    };
    expect(await said(release().subarray(0, 200))).toContain("cannot be unpacked");
    expect(await said(new Uint8Array())).toContain("cannot be unpacked: it is cut off");
    expect(await said(tarballOf([{ path: "../a" }]))).toContain("cannot be unpacked");
    expect(await said(tarballOf([{ path: "a", type: "2", target: "/etc" }]))).toContain(
      "would lead",
    );
    expect(await said(() => Response.redirect("ftp://127.0.0.1/"))).toContain(
      "leads away from https://",
    );
    expect(await said(() => Response.redirect("/n.tgz"))).toContain("without end");
    expect(await cached().catch(() => [])).toEqual([]);
    expect(why(await find(["http://127.0.0.1:1/n.tgz"]))).toContain(
      "once it was fetched, builds need no network",
    );
    answer = () =>
      new Response(
        tarballOf([
          { path: "a", text: "x" },
          { path: "b", text: "x" },
        ]),
      );
    expect(why(await find([at("/n.tgz")]))).toContain(
      "is no buildpack, as it has no buildpack.toml",
    );
  });

  test("given up in the middle: nothing is left", async () => {
    const abort = new AbortController();
    answer = () => {
      abort.abort();
      return new Promise(() => {});
    };
    expect(why(await find([at("/n.tgz")], { signal: abort.signal }))).toEndWith("was given up");
    expect(await cached().catch(() => [])).toEqual([]);
  });
});

async function detectedIn(found: Extract<Awaited<ReturnType<typeof find>>, { kind: "found" }>) {
  return await detectGroups(
    {
      ...{ ...found, app, platform: root, scratch: join(root, "scratch"), env: {}, variables: {} },
      machine: { os: "linux", arch: "amd64", variant: undefined, distro: undefined },
      execEnv: "production",
    },
    { write() {}, signal: new AbortController().signal },
  );
}

/** The parts `hosts` and `trust` of setup: what root's shell does below a root of the test's own, and takes away. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { hosts } from "../../../src/cli/setup/hosts.ts";
import { trust } from "../../../src/cli/setup/trust.ts";
import type { Part, PartPlan, SetupPlace, Step } from "../../../src/cli/setup/plan.ts";
import { rootCommand } from "../../../src/cli/setup/script.ts";
import { editedHosts } from "../../../src/helper/hosts-text.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { ensureCertificateAuthority } from "../../../src/tls/certificate-authority.ts";
import { certificateAuthorityDirectory } from "../../../src/tls/certificate-authority-paths.ts";
import { anchorFile } from "../../../src/tls/trust/anchors.ts";
import { systemAnchors } from "../../../src/tls/trust/stores.ts";
import { identity } from "../../support/throwaway-certificate-authority.ts";

// Each test starts some shells, and makes keys.
setDefaultTimeout(60_000);

const isRoot = process.getuid?.() === 0 && process.platform === "linux";
const asRoot = "(as root, whose shell it is)";
const usual = "127.0.0.1 localhost\n";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "localhostess-root-"));
  put("etc/hosts", usual);
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string, mode = 0o644): string {
  const its = join(root, path);
  mkdirSync(dirname(its), { recursive: true });
  writeFileSync(its, text);
  chmodSync(its, mode);
  return its;
}

const read = (path: string): string => readFileSync(join(root, path), "latin1");

function placeOf(more: Partial<SetupPlace> = {}, platform: NodeJS.Platform = "linux"): SetupPlace {
  return {
    machine: {
      ...{ platform, root, home: root, env: {}, privileged: true, wsl: false },
      run: async () => ({ kind: "missing" }),
    },
    ...{ uid: 1000, version: "1.2.3", others: new Set(), tlds: [], bareNames: false },
    programs: { kind: "there", folder: join(root, "package") },
    stateDirectory: join(root, "state"),
    names: async () => [],
    ...more,
  };
}

function steps(plan: PartPlan): readonly Step[] {
  if (plan.kind === "impossible") throw new Error(plan.why);
  return plan.steps ?? [];
}

/** By a shell of root's, as setup runs them. */
function carryOut(lines: readonly string[]): void {
  const done = Bun.spawnSync(rootCommand(lines, { sudo: undefined, mayAsk: false }));
  if (!done.success) throw new Error(done.stderr.toString());
}

async function setUp(part: Part, place: SetupPlace): Promise<void> {
  const due = steps(await part.look(place)).filter((its) => !its.isDone);
  carryOut(due.flatMap((its) => its.commands));
  expect(steps(await part.look(place)).filter((its) => !its.isDone)).toEqual([]);
}

async function takeAway(part: Part, place: SetupPlace): Promise<void> {
  const there = steps(await part.look(place)).filter((its) => its.isThere);
  carryOut(there.toReversed().flatMap((its) => its.removal));
  expect(steps(await part.look(place)).filter((its) => its.isThere)).toEqual([]);
}

const program = "usr/local/libexec/localhostess/localhostess-hosts";

describe.skipIf(!isRoot)(`hosts ${asRoot}`, () => {
  beforeEach(() => put("package/localhostess-hosts", "#!/bin/sh\n", 0o755));

  test("the program gets its right and the domains their list, and all of it goes, the block too", async () => {
    const place = placeOf({ tlds: ["test", "dev.test"] });
    expect(await hosts.look(place)).toMatchObject({ kind: "steps", rights: ["hosts"] });
    await setUp(hosts, place);
    expect(statSync(join(root, program)).mode & 0o7777).toBe(0o4755);
    expect(read("etc/localhostess/domains").split("\n").slice(1)).toEqual(["test", "dev.test", ""]);
    await setUp(hosts, place);
    put("etc/localhostess/hosts.lock", "");
    for (const text of [usual, usual.trimEnd(), `${usual}\xff\n`]) {
      const its = editedHosts(text, { uid: 1000, names: ["a.test"] });
      writeFileSync(join(root, "etc/hosts"), (its as { text: string }).text, "latin1");
      chmodSync(join(root, "etc/hosts"), 0o640);
      await setUp(hosts, place);
      await takeAway(hosts, place);
      expect(read("etc/hosts")).toBe(text);
      expect(statSync(join(root, "etc/hosts")).mode & 0o7777).toBe(0o640);
      expect(readdirSync(join(root, "etc")).sort()).toEqual(["hosts", "localhostess"]);
      expect(readdirSync(join(root, "etc/localhostess"))).toEqual([]);
      expect(existsSync(join(root, program))).toBe(false);
    }
  });

  test("a block in the middle goes with no other byte, and markers that an editor has changed end it", async () => {
    const block = "# BEGIN localhostess 1000\r\n127.0.0.1 a.test\n# END localhostess 1000";
    await setUp(hosts, placeOf({ tlds: ["test"] }));
    for (const [text, left] of [
      [`${usual}${block}\n10.0.0.1 nas`, `${usual}10.0.0.1 nas`],
      [`${usual}${block}\r\n10.0.0.1 nas\n`, `${usual}10.0.0.1 nas\n`],
      [`${usual}${block.replace("\r", "")}\r\n10.0.0.1 nas\n`, `${usual}10.0.0.1 nas\n`],
    ] as const) {
      put("etc/hosts", text);
      await takeAway(hosts, placeOf({ tlds: ["test"] }));
      expect(read("etc/hosts")).toBe(left);
      await setUp(hosts, placeOf({ tlds: ["test"] }));
    }
  });

  test("the program goes before the block, which a daemon would write again", async () => {
    const place = placeOf({ tlds: ["test"] });
    await setUp(hosts, place);
    put(
      "etc/hosts",
      (editedHosts(usual, { uid: 1000, names: ["a.test"] }) as { text: string }).text,
    );
    const there = steps(await hosts.look(place)).filter((its) => its.isThere);
    const ids = there.toReversed().map((its) => its.id);
    expect(ids).toEqual(["localhostess-hosts", "block", "domains"]);
  });

  test("what another user needs stays", async () => {
    await setUp(hosts, placeOf({ tlds: ["test"] }));
    const other = editedHosts(usual, { uid: 1001, names: ["b.test"] }) as { text: string };
    const both = editedHosts(other.text, { uid: 1000, names: ["a.test"] }) as { text: string };
    put("etc/hosts", both.text);
    await takeAway(hosts, placeOf({ others: new Set(["hosts"]) }));
    expect(read("etc/hosts")).toBe(other.text);
    expect(existsSync(join(root, program))).toBe(true);
    expect(read("etc/localhostess/domains")).toContain("test\n");
  });

  test("a torn file is to be mended first", async () => {
    put("etc/hosts", "# END localhostess 1000\n");
    expect(await hosts.look(placeOf())).toMatchObject({
      kind: "impossible",
      why: expect.stringContaining("etc/hosts line 1: a block ends that did not begin here"),
    });
  });

  test("a system whose resolver knows the names needs it for other domains only", async () => {
    put("etc/nsswitch.conf", "hosts: files myhostname dns\n");
    put("usr/lib/libnss_myhostname.so.2", "");
    expect(await hosts.look(placeOf())).toMatchObject({ kind: "unneeded" });
    expect(await hosts.look(placeOf({ tlds: ["test"] }))).toMatchObject({ kind: "steps" });
    expect(await hosts.look(placeOf({ uid: 0 }))).toMatchObject({ kind: "unneeded" });
  });

  test("on macOS the names of the moment are written, and go", async () => {
    const names = ["api.localhost", "api.test"];
    const place = placeOf({ names: async () => names }, "darwin");
    await setUp(hosts, place);
    expect(read("etc/hosts")).toBe(
      (editedHosts(usual, { uid: 1000, names }) as { text: string }).text,
    );
    await setUp(hosts, placeOf({ names: async () => ["web.localhost"] }, "darwin"));
    expect(read("etc/hosts").match(/^\S+ \S+/gm)).toEqual([
      "127.0.0.1 localhost",
      "# BEGIN",
      "127.0.0.1 web.localhost",
      "::1 web.localhost",
      "# END",
    ]);
    await takeAway(hosts, place);
    expect(read("etc/hosts")).toBe(usual);
    expect(await hosts.look(placeOf({}, "darwin"))).toMatchObject({ kind: "unneeded" });
  });
});

describe.skipIf(!isRoot)(`trust ${asRoot}`, () => {
  const folder = "usr/local/share/ca-certificates";
  const bundle = "etc/ssl/certs/ca-certificates.crt";
  const place = (more: Partial<SetupPlace> = {}) => placeOf({ uid: process.getuid!(), ...more });
  const authority = async (kind: "names" | "bare") => {
    const stateDirectory = join(root, "state");
    const made = await ensureCertificateAuthority({
      ...{ stateDirectory, kind, clock: systemClock, identity, tlds: ["test"] },
    });
    if (made.kind === "broken") throw new Error(made.problems.join());
    return made.ca;
  };

  beforeEach(() => {
    mkdirSync(join(root, folder), { recursive: true });
    mkdirSync(join(root, dirname(bundle)), { recursive: true });
    const gather = `#!/bin/sh\ncat ${join(root, folder)}/*.crt > ${join(root, bundle)} 2> /dev/null || :\n`;
    put("usr/sbin/update-ca-certificates", gather, 0o755);
  });

  test("the certificate is the one that was looked at, in the file that `trust` knows, and goes by content", async () => {
    const { pem, certificatePath } = await authority("names");
    // As on systems where the group staff has it.
    chmodSync(join(root, folder), 0o2775);
    const plan = await trust.look(place());
    const [step] = steps(plan);
    expect(step).toMatchObject({ id: "trust-names", isDone: false, isThere: false });
    expect(step!.purpose).toContain("names under localhost and test only");
    // Whatever the user does to the file afterwards, root has read it already.
    writeFileSync(certificatePath, "swapped");
    carryOut(step!.commands);
    const [anchors] = await systemAnchors(place().machine);
    const file = anchorFile(anchors!, { root, pem });
    expect(readFileSync(file, "utf8")).toBe(pem);
    expect(statSync(file).mode & 0o7777).toBe(0o644);
    expect(readdirSync(join(root, folder))).toHaveLength(1);
    await setUp(trust, place());
    put(`${folder}/company.crt`, pem.replace(/A/g, "B"));
    await takeAway(trust, place());
    expect(readdirSync(join(root, folder))).toEqual(["company.crt"]);
    expect(statSync(join(root, folder)).mode & 0o7777).toBe(0o2775);
    expect(read(bundle)).not.toContain(pem);
  });

  test("a file that has become another's by the time of the removal stays", async () => {
    const { pem } = await authority("names");
    await setUp(trust, place());
    const [step] = steps(await trust.look(place()));
    const [anchors] = await systemAnchors(place().machine);
    const file = anchorFile(anchors!, { root, pem });
    writeFileSync(file, "another\n");
    carryOut(step!.removal);
    expect(readFileSync(file, "utf8")).toBe("another\n");
  });

  test("one that may sign for any name is not installed, and that for bare names only when it is asked for", async () => {
    expect(await trust.look(place())).toMatchObject({
      kind: "impossible",
      fix: "localhostess trust",
    });
    const { pem } = await authority("bare");
    const [names, bare] = (["names", "bare"] as const).map((kind) =>
      certificateAuthorityDirectory(join(root, "state"), kind),
    );
    await cp(bare!, names!, { recursive: true });
    expect(await trust.look(place())).toMatchObject({
      kind: "impossible",
      why: "this certificate authority may sign for any name",
    });
    rmSync(names!, { recursive: true });
    await authority("names");
    expect(steps(await trust.look(place())).map((its) => its.id)).toEqual(["trust-names"]);
    const both = await trust.look(place({ bareNames: true }));
    expect(steps(both).map((its) => its.id)).toEqual(["trust-bare", "trust-names"]);
    // Without the option, it is only taken away.
    await setUp(trust, place({ bareNames: true }));
    await takeAway(trust, place());
    expect(read(bundle)).not.toContain(pem);
  });

  test("another user's authority, and a system without a store, are nobody's to install", async () => {
    await authority("names");
    expect(await trust.look(place({ uid: 1000 }))).toMatchObject({ kind: "impossible" });
    rmSync(join(root, "usr/sbin"), { recursive: true });
    expect(await trust.look(place())).toMatchObject({ kind: "impossible" });
  });
});

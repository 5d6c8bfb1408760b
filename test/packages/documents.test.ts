/** What a release says of itself: manual pages, completions, the formula and the list of components. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { documents } from "../../scripts/packages/documents.ts";
import { formula } from "../../scripts/packages/formula.ts";
import { platforms } from "../../scripts/packages/platforms.ts";
import { tarballName } from "../../scripts/packages/platform-tarball.ts";
import { type LockFile, sbom } from "../../scripts/packages/sbom.ts";
import { inProcess } from "../cli/in-process.ts";
import { root } from "../cli/cli.ts";
import { ended } from "../support/ended.ts";

const epoch = 1_700_000_000;
const its = await documents({ version: "1.2.3", epoch });

describe("manual pages", () => {
  test("one for the program and one for each verb of --help", async () => {
    const { out } = await inProcess(["--help"]);
    const verbs = [...out.matchAll(/^ {2}([a-z]+)(?= |$)/gm)].map((found) => found[1]!);
    const names = verbs.filter((verb) => verb !== "help").map((verb) => `localhostess-${verb}.1`);
    expect(Object.keys(its.pages).sort()).toEqual(["localhostess.1", ...names].sort());
  });

  test("a page has the verb's words, options, notes and example, and the day of the version", () => {
    const page = its.pages["localhostess-up.1"]!;
    expect(page).toStartWith('.TH "LOCALHOSTESS-UP" 1 "2023-11-14" "localhostess 1.2.3"\n');
    expect(page).toContain(".B localhostess up\n[options] [path] [service...]");
    expect(page).toContain(".B \\-\\-timeout <time>\nthe longest time to wait");
    expect(page).toContain("$ localhostess up apps/shop api");
  });

  test("a group's page has the verbs below it", () => {
    const page = its.pages["localhostess-db.1"]!;
    expect(page).toContain('.SH "DB RESTORE"');
    expect(page).toContain(".B localhostess db restore\n[options] <service> <file>");
  });

  test("no text is taken for a request of roff", () => {
    const known = /^\.(?:TH|SH|SS|TP|B|BR|br|nf|fi)(?: |$)/;
    for (const page of Object.values(its.pages)) {
      const wrong = page.split("\n").filter((line) => /^[.']/.test(line) && !known.test(line));
      expect(wrong).toEqual([]);
      // A minus that people copy is no hyphen.
      expect(
        page.split("\n").filter((line) => /(?<!\\)-/.test(line) && !/^\.TH/.test(line)),
      ).toEqual([]);
    }
  });
});

test("completions are those that the program prints", async () => {
  for (const [shell, script] of Object.entries(its.completions)) {
    expect(script).toBe((await inProcess(["completion", shell])).out);
  }
});

describe("the formula", () => {
  const sums = new Map(platforms.map((its, at) => [its, String(at).repeat(64)]));
  const url = "https://example.com/v1.2.3";
  const text = formula({ ...packageJson, version: "1.2.3", url, sums });

  test("has each tarball that Homebrew can use, with its own checksum", () => {
    const found = [...text.matchAll(/url "(.+)"\n +sha256 "(.+)"/g)].map((its) => its.slice(1));
    const wanted = platforms.flatMap((its) =>
      its.libc === "musl" ? [] : [[`${url}/${tarballName("1.2.3", its)}.tar.gz`, sums.get(its)!]],
    );
    expect(found.sort()).toEqual(wanted.sort());
  });

  test("stands each checksum in the block of its system and processor", () => {
    const linux = text.slice(text.indexOf("on_linux"));
    const [arm, intel] = linux.split("on_intel");
    expect(arm).toContain("linux-arm64");
    expect(intel).toContain("linux-x64");
  });

  test.skipIf(Bun.which("ruby") === null)("is Ruby", async () => {
    const file = join(import.meta.dir, `localhostess-${process.pid}.rb`);
    await Bun.write(file, text);
    try {
      const { out } = await ended(["ruby", "-c", file], { env: process.env, cwd: "/" });
      expect(out).toBe("Syntax OK\n");
    } finally {
      await Bun.file(file).delete();
    }
  });
});

describe("the list of components", () => {
  type Part = { "bom-ref": string; name: string; version: string; hashes?: unknown };
  type List = {
    components: Part[];
    dependencies: { ref: string; dependsOn: string[] }[];
    serialNumber: string;
  };

  async function listed(musl?: string): Promise<List> {
    const lock = (await Bun.file(join(root, "package-lock.json")).json()) as LockFile;
    return sbom(lock, { version: "1.2.3", license: "MIT", epoch, musl }) as List;
  }

  test("has every dependency of the program with its hash, the runtime and musl, and nothing for development", async () => {
    const { components } = await listed("1.2.3-1");
    const names = components.map(({ name }) => name);
    expect(names).toContainValues([...Object.keys(packageJson.dependencies), "musl"]);
    expect(names).not.toContain("vite");
    expect(names).not.toContain("@oven/bun-linux-x64");
    for (const its of components) if (its.name !== "musl") expect(its.hashes).toBeArrayOfSize(1);
  });

  test("names each component once, and depends on nothing that it does not have", async () => {
    const { components, dependencies } = await listed();
    const refs = components.map((its) => its["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
    for (const { ref, dependsOn } of dependencies) {
      expect([...refs, "pkg:npm/localhostess@1.2.3"]).toContain(ref);
      expect(refs).toContainValues(dependsOn);
    }
    // Two versions of one package, each where Node would find it.
    const pkijs = dependencies.find(({ ref }) => ref.startsWith("pkg:npm/pkijs@"))!;
    expect(pkijs.dependsOn).toContain(refs.find((its) => its.startsWith("pkg:npm/asn1js@4"))!);
  });

  test("is the same for the same input, and has another number for another one", async () => {
    expect(await listed()).toEqual(await listed());
    expect((await listed()).serialNumber).not.toBe((await listed("1")).serialNumber);
    expect((await listed()).serialNumber).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
  });
});

/**
 * The folders of four distributions. Debian's command is the real one, told to work in a temporary directory; the other
 * distributions' commands are not to be had here, so those are faked by what they do to the bundle.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Anchors, anchorStore } from "../../../src/tls/trust/anchors.ts";
import { archAnchors } from "../../../src/tls/trust/arch.ts";
import { debianAnchors, debianWithout } from "../../../src/tls/trust/debian.ts";
import { fedoraAnchors } from "../../../src/tls/trust/fedora.ts";
import { opensuseAnchors } from "../../../src/tls/trust/opensuse.ts";
import type { Machine, TrustStore } from "../../../src/tls/trust/store.ts";
import { trustStores } from "../../../src/tls/trust/stores.ts";
import { certificateIn } from "./certificates.ts";
import {
  done,
  type Fake,
  real,
  type TemporaryMachine,
  temporaryMachine,
} from "./temporary-machine.ts";

type Distribution = {
  find(machine: Machine): Promise<TrustStore[]>;
  /** What makes the system one of these. */
  marks: readonly string[];
  folder: string;
  bundle: string;
  program: string;
};

function storesOf(find: (machine: Machine) => Promise<Anchors | undefined>) {
  return async (machine: Machine): Promise<TrustStore[]> => {
    const its = await find(machine);
    return its === undefined ? [] : [anchorStore(its, machine)];
  };
}

const distributions: Record<string, Distribution> = {
  debian: {
    find: storesOf(debianAnchors),
    marks: ["/usr/sbin/update-ca-certificates"],
    folder: "/usr/local/share/ca-certificates",
    bundle: "/etc/ssl/certs/ca-certificates.crt",
    program: "/usr/sbin/update-ca-certificates",
  },
  fedora: {
    find: storesOf(fedoraAnchors),
    marks: ["/etc/pki/ca-trust/source/README"],
    folder: "/etc/pki/ca-trust/source/anchors",
    bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    program: "/usr/bin/update-ca-trust",
  },
  arch: {
    find: storesOf(archAnchors),
    marks: ["/etc/ca-certificates/trust-source/README"],
    folder: "/etc/ca-certificates/trust-source/anchors",
    bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    program: "/usr/bin/update-ca-trust",
  },
  opensuse: {
    find: storesOf(opensuseAnchors),
    marks: ["/etc/pki/trust/README", "/usr/sbin/update-ca-certificates"],
    folder: "/etc/pki/trust/anchors",
    bundle: "/var/lib/ca-certificates/ca-bundle.pem",
    program: "/usr/sbin/update-ca-certificates",
  },
};

/** All files of the folder, one behind the other. */
async function gather(root: string, { folder, bundle }: Distribution): Promise<void> {
  const names = await readdir(join(root, folder)).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(root, folder, name), "utf8")));
  await mkdir(join(root, bundle, ".."), { recursive: true });
  await writeFile(join(root, bundle), texts.join(""));
}

async function machineLike(
  distribution: Distribution,
  { fake, given }: { fake?: Fake; given?: Partial<Machine> } = {},
): Promise<TemporaryMachine> {
  const temporary: TemporaryMachine = await temporaryMachine(
    fake ??
      (async () => {
        await gather(temporary.machine.root, distribution);
        return done();
      }),
    given,
  );
  for (const mark of distribution.marks) await temporary.put(mark);
  return temporary;
}

for (const [name, distribution] of Object.entries(distributions)) {
  const { folder, bundle, program } = distribution;

  describe(name, () => {
    test("is the one system store that is found", async () => {
      await using temporary = await machineLike(distribution);
      const stores = await trustStores(temporary.machine);
      expect(stores.map((store) => store.name)).toEqual([`system (${folder})`]);
    });

    test("installs, knows it, and takes it out again, each once only", async () => {
      await using temporary = await machineLike(distribution);
      const { machine, commands } = temporary;
      const certificate = await certificateIn(machine.home);
      const [store] = await distribution.find(machine);
      expect(await store!.check(certificate)).toEqual({ kind: "absent" });
      expect(await store!.install(certificate)).toEqual({ kind: "done" });
      expect(commands).toEqual([
        [join(machine.root, program), ...(name === "fedora" ? ["extract"] : [])],
      ]);
      const [file] = await readdir(join(machine.root, folder));
      expect(file).toMatch(/^localhostess-[0-9a-f]{16}\.(crt|pem)$/);
      expect((await stat(join(machine.root, folder, file!))).mode & 0o777).toBe(0o644);
      expect(await store!.check(certificate)).toEqual({ kind: "trusted" });
      expect(await store!.install(certificate)).toEqual({ kind: "already" });
      expect(commands).toHaveLength(1);

      expect(await store!.remove(certificate)).toEqual({ kind: "done" });
      expect(await readdir(join(machine.root, folder))).toEqual([]);
      expect(await store!.remove(certificate)).toEqual({ kind: "already" });
      expect(commands).toHaveLength(2);
    });

    test("removes this certificate under whatever name, and leaves every other", async () => {
      await using temporary = await machineLike(distribution);
      const { machine } = temporary;
      const ours = await certificateIn(machine.home);
      const others = await certificateIn(machine.home);
      await temporary.put(
        `${folder}/by-hand.crt`,
        `a comment\r\n${ours.pem.replaceAll("\n", "\r\n")}`,
      );
      await temporary.put(`${folder}/localhostess-other.crt`, others.pem);
      await temporary.put(`${folder}/both.pem`, ours.pem + others.pem);
      const [store] = await distribution.find(machine);
      // The file with both is the person's: it is not ours to take apart, and it is told.
      expect(await store!.remove(ours)).toMatchObject({
        kind: "failed",
        why: expect.stringContaining(`it is still in ${bundle}`),
      });
      expect(await readdir(join(machine.root, folder))).toEqual([
        "both.pem",
        "localhostess-other.crt",
      ]);
    });

    test("without root it runs nothing, changes nothing, and shows the whole command", async () => {
      await using temporary = await machineLike(distribution, { given: { privileged: false } });
      const { machine, commands } = temporary;
      const certificate = await certificateIn(machine.home);
      const [store] = await distribution.find(machine);
      const outcome = await store!.install(certificate);
      expect(outcome).toMatchObject({ kind: "needs you", why: "only root may change it" });
      const quoted = `'${certificate.path.replaceAll("'", `'\\''`)}'`;
      expect(outcome).toHaveProperty(
        "fix",
        expect.stringMatching(/^sudo install -D -m 644 .* && sudo \S+(?: extract)?$/),
      );
      expect((outcome as { fix: string }).fix).toContain(quoted);
      expect((outcome as { fix: string }).fix).toContain(join(machine.root, program));
      expect(commands).toEqual([]);
      expect(existsSync(join(machine.root, folder))).toBeFalse();

      await temporary.put(`${folder}/x.crt`, certificate.pem);
      expect(await store!.remove(certificate)).toMatchObject({
        kind: "needs you",
        fix: expect.stringContaining(`sudo rm ${join(machine.root, folder)}/x.crt && sudo `),
      });
      expect(await store!.check(certificate)).toMatchObject({
        kind: "absent",
        why: `it is in ${folder}, but ${program} has not run since`,
      });
    });

    test("a command that is missing, fails or hangs is a failure with a way out", async () => {
      const failures: [ReturnType<Fake>, string][] = [
        [{ kind: "missing" }, `${program} is not installed`],
        [done("", 3, "first\nno space left\n"), `${program} failed with 3: no space left`],
        [{ kind: "failed", why: "it took longer than 60000 ms" }, "it took longer than 60000 ms"],
        // It says that all went well, and nothing has happened.
        [done(), `${program} did not add it to ${bundle}`],
      ];
      for (const [result, why] of failures) {
        let deadline: number | undefined;
        await using temporary = await machineLike(distribution, {
          fake: (_, options) => {
            deadline = options?.deadline;
            return result;
          },
        });
        const certificate = await certificateIn(temporary.machine.home);
        const [store] = await distribution.find(temporary.machine);
        expect(await store!.install(certificate)).toEqual({
          kind: "failed",
          why,
          fix: expect.stringContaining(`sudo ${join(temporary.machine.root, program)}`),
        });
        expect(deadline).toBe(60_000);
      }
    });
  });
}

test("a Debian without the package names it", async () => {
  await using temporary = await temporaryMachine(() => done());
  await temporary.put("/etc/debian_version", "12.1");
  await temporary.put("/etc/os-release", 'ID=raspbian\nID_LIKE="debian"\n');
  const [store] = await debianWithout(temporary.machine);
  const certificate = await certificateIn(temporary.machine.home);
  const missing = { fix: "sudo apt-get install ca-certificates, then this again" };
  expect(await store!.check(certificate)).toMatchObject({ kind: "unavailable", ...missing });
  expect(await store!.install(certificate)).toMatchObject({ kind: "failed", ...missing });
});

test("a system without any of these folders has no system store", async () => {
  await using temporary = await temporaryMachine(() => done());
  expect(await trustStores(temporary.machine)).toEqual([]);
});

const debians = "/usr/sbin/update-ca-certificates";

test.skipIf(!existsSync("/etc/debian_version") || !existsSync(debians))(
  "Debian's own command, in a temporary directory, makes and clears bundle and links",
  async () => {
    await using temporary: TemporaryMachine = await temporaryMachine(([, ...args], options) => {
      const at = (path: string) => join(temporary.machine.root, path);
      const places = [
        ...["--certsconf", at("etc/ca-certificates.conf")],
        ...["--localcertsdir", at("usr/local/share/ca-certificates")],
        ...["--etccertsdir", at("etc/ssl/certs")],
        ...["--hooksdir", at("etc/ca-certificates/update.d")],
      ];
      return real([debians, ...places, ...args], options);
    });
    const { machine } = temporary;
    await temporary.put(debians);
    await temporary.put("/etc/ca-certificates.conf", "# none\n");
    await temporary.put("/etc/ca-certificates/update.d/.keep");
    await temporary.put("/etc/ssl/certs/.keep");
    const certificate = await certificateIn(machine.home);
    // Without any certificate, which no system is, it leaves the bundle as it was.
    const company = await certificateIn(machine.home);
    await temporary.put("/usr/local/share/ca-certificates/company.crt", company.pem);
    const [store] = await storesOf(debianAnchors)(machine);
    expect(await store!.install(certificate)).toEqual({ kind: "done" });
    const files = async () => (await readdir(join(machine.root, "etc/ssl/certs"))).sort();
    const link = expect.stringMatching(/^[0-9a-f]{8}\.\d$/);
    const own = expect.stringMatching(/^localhostess-[0-9a-f]{16}\.pem$/);
    expect(await files()).toEqual([".keep", link, link, "ca-certificates.crt", "company.pem", own]);
    expect(await store!.remove(certificate)).toEqual({ kind: "done" });
    expect(await files()).toEqual([".keep", link, "ca-certificates.crt", "company.pem"]);
    expect(await store!.check(company)).toEqual({ kind: "trusted" });
  },
);

/**
 * The macOS keychain, by a fake `security`: there is no macOS here. It keeps what the real one is known to keep
 * apart.
 */
import { expect, test } from "bun:test";
import { keychainStores } from "../../../src/tls/trust/keychain.ts";
import { sha1Of } from "../../../src/tls/trust/pem.ts";
import type { Certificate } from "../../../src/tls/trust/store.ts";
import { certificateIn } from "./certificates.ts";
import { done, type Fake, temporaryMachine } from "./temporary-machine.ts";

type Keychain = { certificates: Set<string>; trusted: Set<string>; byPath: Map<string, string> };

function security(keychain: Keychain): Fake {
  return ([program, verb, ...args]) => {
    expect(program).toBe("/usr/bin/security");
    const hash = keychain.byPath.get(args.find((word) => keychain.byPath.has(word)) ?? "");
    if (verb === "find-certificate") {
      if (keychain.certificates.size === 0) return done("", 44, "could not be found\n");
      return done([...keychain.certificates].map((its) => `SHA-1 hash: ${its}\n`).join(""));
    }
    if (verb === "verify-cert") {
      expect(args).toEqual(expect.arrayContaining(["-p", "ssl", "-l", "-L"]));
      return done("", keychain.trusted.has(hash!) ? 0 : 1);
    }
    if (verb === "add-trusted-cert") {
      keychain.certificates.add(hash!);
      keychain.trusted.add(hash!);
      return done();
    }
    if (verb === "delete-certificate") {
      // What was seen of it: the verdict lasts longer than the certificate.
      keychain.certificates.delete(args[args.indexOf("-Z") + 1]!);
      return done();
    }
    throw new Error(`security ${verb} was not expected`);
  };
}

function empty(...certificates: Certificate[]): Keychain {
  const byPath = new Map(certificates.map(({ path, pem }) => [path, sha1Of(pem)]));
  return { certificates: new Set(), trusted: new Set(), byPath };
}

test("installs into the person's own keychain, without root, and takes out again", async () => {
  const keychain = empty();
  await using temporary = await temporaryMachine(security(keychain), {
    platform: "darwin",
    privileged: false,
  });
  const { machine, commands } = temporary;
  const [ours, other] = [await certificateIn(machine.home), await certificateIn(machine.home)];
  for (const { path, pem } of [ours, other]) keychain.byPath.set(path, sha1Of(pem));
  keychain.certificates.add(sha1Of(other.pem));
  const [store] = await keychainStores(machine);
  expect(await store!.check(ours)).toEqual({ kind: "absent" });
  expect(await store!.install(ours)).toEqual({ kind: "done" });
  const login = `${machine.home}/Library/Keychains/login.keychain-db`;
  expect(commands).toContainEqual([
    "/usr/bin/security",
    "add-trusted-cert",
    "-r",
    "trustRoot",
    "-p",
    "ssl",
    "-k",
    login,
    ours.path,
  ]);
  expect(await store!.install(ours)).toEqual({ kind: "already" });
  expect(await store!.remove(ours)).toEqual({ kind: "done" });
  expect(await store!.check(ours)).toEqual({ kind: "absent" });
  expect(await store!.remove(ours)).toEqual({ kind: "already" });
  expect([...keychain.certificates]).toEqual([sha1Of(other.pem)]);
});

test("in the keychain but not trusted is not trusted, and installing mends it", async () => {
  const keychain = empty();
  await using temporary = await temporaryMachine(security(keychain), { platform: "darwin" });
  const certificate = await certificateIn(temporary.machine.home);
  keychain.byPath.set(certificate.path, sha1Of(certificate.pem));
  keychain.certificates.add(sha1Of(certificate.pem));
  const [store] = await keychainStores(temporary.machine);
  expect(await store!.check(certificate)).toEqual({
    kind: "absent",
    why: "it is in the keychain, but not trusted",
  });
  expect(await store!.install(certificate)).toEqual({ kind: "done" });
});

test("a `security` that hangs has a deadline, a longer one where a person is asked", async () => {
  const deadlines: (number | undefined)[] = [];
  let asks = false;
  await using temporary = await temporaryMachine(
    ([, verb], options) => {
      deadlines.push(options?.deadline);
      if (!asks && verb === "find-certificate") return done("", 44);
      asks = true;
      return { kind: "failed", why: "/usr/bin/security took longer" };
    },
    { platform: "darwin" },
  );
  const [store] = await keychainStores(temporary.machine);
  const certificate = await certificateIn(temporary.machine.home);
  expect(await store!.install(certificate)).toEqual({
    kind: "failed",
    why: "/usr/bin/security took longer",
    fix: expect.stringMatching(/^in a terminal of the desktop: security add-trusted-cert .*'$/),
  });
  expect(deadlines).toEqual([undefined, 120_000]);
  expect(await store!.check(certificate)).toMatchObject({ kind: "unavailable" });
});

test("other systems have no keychain", async () => {
  await using temporary = await temporaryMachine(() => done());
  expect(await keychainStores(temporary.machine)).toEqual([]);
});

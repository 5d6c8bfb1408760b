/** Windows' store from WSL, by a fake `certutil.exe`: there is no Windows here. */
import { expect, test } from "bun:test";
import { sha1Of } from "../../../src/tls/trust/pem.ts";
import { windowsStores } from "../../../src/tls/trust/windows.ts";
import { certificateIn } from "./certificates.ts";
import { done, type TemporaryMachine, temporaryMachine } from "./temporary-machine.ts";

const program = "/mnt/c/Windows/System32/certutil.exe";

test("installs for the Windows user by a Windows path, and removes by thumbprint", async () => {
  const store = new Set<string>();
  const hashes = new Map<string, string>();
  await using temporary: TemporaryMachine = await temporaryMachine(
    ([command, ...args]) => {
      if (command === "wslpath") return done(`\\\\wsl.localhost\\Debian${args[1]}\r\n`);
      expect(command).toBe(`${temporary.machine.root}${program}`);
      expect(args[0]).toBe("-user");
      const [, verb] = args;
      if (verb === "-store") {
        expect(args[2]).toBe("Root");
        // In its user's language, and with what older versions put between the digits.
        const hash = args[3]!;
        const shown = hash.toLowerCase().replace(/..(?=.)/g, "$& ");
        return store.has(hash) ? done(`Zertifikathash(sha1): ${shown}\r\n`) : done("Fehler", 4);
      }
      if (verb === "-addstore") store.add(hashes.get(args.at(-1)!)!);
      if (verb === "-delstore") store.delete(args.at(-1)!);
      return done();
    },
    { wsl: true },
  );
  const { machine } = temporary;
  await temporary.put(program);
  const certificate = await certificateIn(machine.home);
  hashes.set(`\\\\wsl.localhost\\Debian${certificate.path}`, sha1Of(certificate.pem));
  const [windows] = await windowsStores(machine);
  expect(await windows!.check(certificate)).toEqual({ kind: "absent" });
  expect(await windows!.install(certificate)).toEqual({ kind: "done" });
  expect(await windows!.check(certificate)).toEqual({ kind: "trusted" });
  expect(await windows!.install(certificate)).toEqual({ kind: "already" });
  expect(await windows!.remove(certificate)).toEqual({ kind: "done" });
  expect(await windows!.remove(certificate)).toEqual({ kind: "already" });
});

test("a person who says no, and a window that nobody sees, are failures with a way out", async () => {
  for (const result of [done("", 1), { kind: "failed", why: "it took longer" } as const, done()]) {
    await using temporary = await temporaryMachine(
      ([command, , verb]) => {
        if (command === "wslpath") return done("C:\\x y.pem\r\n");
        return verb === "-store" ? done("", 4) : result;
      },
      { wsl: true },
    );
    await temporary.put(program);
    const [windows] = await windowsStores(temporary.machine);
    expect(await windows!.install(await certificateIn(temporary.machine.home))).toMatchObject({
      kind: "failed",
      fix: 'in Windows: certutil -user -addstore -f Root "C:\\x y.pem", and say yes',
    });
  }
});

test.each([
  ["C:\\x y.pem", 'in Windows: certutil -user -addstore -f Root "C:\\x y.pem", and say yes'],
  ["\\\\wsl\\it's", `in Windows: certutil -user -addstore -f Root "\\\\wsl\\it's", and say yes`],
  [
    "\\\\wsl\\$(calc)\\it's",
    "in PowerShell: certutil -user -addstore -f Root '\\\\wsl\\$(calc)\\it''s', and say yes",
  ],
  [
    "\\\\wsl\\a\u201d; calc \u2019",
    "in PowerShell: certutil -user -addstore -f Root '\\\\wsl\\a\u201d; calc \u2019\u2019', and say yes",
  ],
  [
    "\\\\wsl\\%PATH%",
    "in PowerShell: certutil -user -addstore -f Root '\\\\wsl\\%PATH%', and say yes",
  ],
])("the command for %s means that file, in the shell that is named", async (path, fix) => {
  await using temporary = await temporaryMachine(
    ([command, , verb]) => {
      if (command === "wslpath") return done(`${path}\r\n`);
      return verb === "-store" ? done("", 4) : done("", 1);
    },
    { wsl: true },
  );
  await temporary.put(program);
  const [windows] = await windowsStores(temporary.machine);
  expect(await windows!.install(await certificateIn(temporary.machine.home))).toMatchObject({
    kind: "failed",
    fix,
  });
});

test("a WSL that cannot start Windows' programs says how to let it; Linux elsewhere has no such store", async () => {
  await using temporary = await temporaryMachine(() => done(), { wsl: true });
  const [windows] = await windowsStores(temporary.machine);
  expect(await windows!.check(await certificateIn(temporary.machine.home))).toEqual({
    kind: "unavailable",
    why: expect.stringContaining("no certutil.exe"),
    fix: expect.stringContaining("[interop] enabled=true"),
  });
  expect(await windowsStores({ ...temporary.machine, wsl: false })).toEqual([]);
});

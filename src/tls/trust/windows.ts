/** The Windows around this Linux (WSL) -> its user's trust store, by `certutil.exe`. */
import { join } from "node:path";
import { whereIs } from "../../system/search-path.ts";
import { powershellWord } from "../../text/shell-words.ts";
import { exists } from "./exists.ts";
import { sha1Of } from "./pem.ts";
import type { Certificate, Check, Machine, Outcome, TrustStore } from "./store.ts";
import { failureOf, textOf } from "./failure-text.ts";

/** wsl.conf may mount the Windows drive elsewhere; the program may still be in PATH then. */
const usual = "/mnt/c/Windows/System32/certutil.exe";

/** Milliseconds. Windows asks for confirmation in a window. */
const askingDeadline = 120_000;
/** Milliseconds. The first Windows program to be started takes a while. */
const lookingDeadline = 20_000;

const name = "Windows (user's root store)";
const notThere = {
  why: "there is no certutil.exe, so Windows programs cannot be started from here",
  fix: "turn interop on in /etc/wsl.conf ([interop] enabled=true), then: wsl.exe --shutdown",
};

export async function windowsStores(machine: Machine): Promise<TrustStore[]> {
  if (!machine.wsl) return [];
  const program = (await exists(join(machine.root, usual)))
    ? join(machine.root, usual)
    : whereIs("certutil.exe", machine.env.PATH);
  if (program !== undefined) return [windowsStore(program, machine)];
  return [
    {
      name,
      check: async () => ({ kind: "unavailable", ...notThere }),
      install: async () => ({ kind: "failed", ...notThere }),
      remove: async () => ({ kind: "failed", ...notThere }),
    },
  ];
}

/** Characters that cmd.exe or PowerShell interpret inside double quotes. */
const active = /["$`%\u2018-\u201f]/;

function typed(argv: readonly string[]): string {
  const both = !argv.some((word) => active.test(word));
  const quoted = (word: string) => (both ? `"${word}"` : powershellWord(word));
  const shown = argv.map((word) => (/^[\w-]+$/.test(word) ? word : quoted(word))).join(" ");
  return `${both ? "Windows" : "PowerShell"}: certutil ${shown}`;
}

function windowsStore(program: string, { run }: Machine): TrustStore {
  /** Windows answers in its user's language, so only the hash is searched for. */
  async function has({ pem }: Certificate): Promise<boolean> {
    const thumbprint = sha1Of(pem);
    const argv = [program, "-user", "-store", "Root", thumbprint] as const;
    const result = await run([...argv], { deadline: lookingDeadline });
    if (result.kind !== "done") throw new Error(failureOf("certutil.exe", result));
    return result.code === 0 && result.stdout.replace(/\s/g, "").toUpperCase().includes(thumbprint);
  }

  /** Windows cannot open a file by its Linux path. */
  async function windowsPath(path: string): Promise<string> {
    const result = await run(["wslpath", "-w", path], { deadline: lookingDeadline });
    const why = failureOf("wslpath", result);
    if (why !== undefined) throw new Error(why);
    return (result as { stdout: string }).stdout.trim();
  }

  async function change(
    certificate: Certificate,
    { argv, wanted }: { argv: readonly string[]; wanted: boolean },
  ): Promise<Outcome> {
    const fix = `in ${typed(argv)}, and say yes`;
    const result = await run([program, ...argv], { deadline: askingDeadline });
    const why = failureOf("certutil.exe", result);
    if (why !== undefined) return { kind: "failed", why, fix };
    if ((await has(certificate)) === wanted) return { kind: "done" };
    return { kind: "failed", why: "Windows did not change its store", fix };
  }

  const failed = (error: unknown): Outcome => ({
    kind: "failed",
    why: textOf(error),
    fix: "check whether Windows programs start from here: cmd.exe /c ver",
  });

  return {
    name,

    async check(certificate): Promise<Check> {
      try {
        return (await has(certificate)) ? { kind: "trusted" } : { kind: "absent" };
      } catch (error) {
        return { kind: "unavailable", why: textOf(error), fix: "cmd.exe /c ver" };
      }
    },

    async install(certificate): Promise<Outcome> {
      try {
        if (await has(certificate)) return { kind: "already" };
        const path = await windowsPath(certificate.path);
        const argv = ["-user", "-addstore", "-f", "Root", path];
        return await change(certificate, { argv, wanted: true });
      } catch (error) {
        return failed(error);
      }
    },

    async remove(certificate): Promise<Outcome> {
      try {
        if (!(await has(certificate))) return { kind: "already" };
        const argv = ["-user", "-delstore", "Root", sha1Of(certificate.pem)];
        return await change(certificate, { argv, wanted: false });
      } catch (error) {
        return failed(error);
      }
    },
  };
}

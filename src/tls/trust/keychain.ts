/** The login keychain of macOS -> a trust store, by `security`. */
import { join } from "node:path";
import { commonNameOf, sha1Of } from "./pem.ts";
import type { Certificate, Check, Machine, Outcome, TrustStore } from "./store.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { failureOf, textOf } from "./failure-text.ts";

const program = "/usr/bin/security";

/** Milliseconds. The system asks for the person's password in a window, and a person needs time. */
const askingDeadline = 120_000;

/** Exit code of `security` if nothing was found: errSecItemNotFound, -25300, truncated to a byte. */
const notFound = 44;

const name = "macOS keychain (login)";

export async function keychainStores(machine: Machine): Promise<TrustStore[]> {
  return machine.platform === "darwin" ? [keychainStore(machine)] : [];
}

/** The person's own keychain: unlike the system's, it needs no root and affects no other user. */
function keychainStore(machine: Machine): TrustStore {
  const keychain = join(machine.home, "Library/Keychains/login.keychain-db");
  const run = machine.run;

  async function has({ pem }: Certificate): Promise<boolean> {
    const commonName = commonNameOf(pem);
    const named = commonName === undefined ? [] : ["-c", commonName];
    const result = await run([program, "find-certificate", "-a", ...named, "-Z", keychain]);
    if (result.kind === "done" && result.code === notFound) return false;
    const why = failureOf(program, result);
    if (why !== undefined) throw new Error(why);
    return result.kind === "done" && result.stdout.toUpperCase().includes(sha1Of(pem));
  }

  /** Verifies like a browser: a certificate may be in the keychain without being trusted. */
  async function isTrusted({ path }: Certificate): Promise<boolean> {
    // -l: the certificate is a certificate authority's own. -L: fetch nothing from the network, where it was seen to
    // hang.
    const argv = [program, "verify-cert", "-c", path, "-p", "ssl", "-l", "-L", "-q"] as const;
    const result = await run([...argv]);
    if (result.kind === "done") return result.code === 0;
    throw new Error(failureOf(program, result));
  }

  /** Checks both: a cache was seen to keep the verdict after the certificate was gone. */
  async function check(certificate: Certificate): Promise<Check> {
    try {
      if (!(await has(certificate))) return { kind: "absent" };
      if (await isTrusted(certificate)) return { kind: "trusted" };
      return { kind: "absent", why: "it is in the keychain, but not trusted" };
    } catch (error) {
      return {
        kind: "unavailable",
        why: textOf(error),
        fix: `unlock it and try again: security unlock-keychain ${pastedWord(keychain)}`,
      };
    }
  }

  return {
    name,
    check,

    async install(certificate): Promise<Outcome> {
      const state = await check(certificate);
      if (state.kind === "trusted") return { kind: "already" };
      if (state.kind === "unavailable") return { ...state, kind: "failed" };
      const argv = ["add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-k", keychain] as const;
      const fix = `security ${[...argv, certificate.path].map(pastedWord).join(" ")}`;
      const result = await run([program, ...argv, certificate.path], { deadline: askingDeadline });
      const why = failureOf(program, result);
      if (why !== undefined)
        return { kind: "failed", why, fix: `in a terminal of the desktop: ${fix}` };
      const now = await check(certificate);
      if (now.kind === "trusted") return { kind: "done" };
      return { kind: "failed", why: now.why ?? "the keychain did not keep it", fix };
    },

    async remove(certificate): Promise<Outcome> {
      // -t also removes the person's trust settings for the certificate.
      const argv = ["delete-certificate", "-Z", sha1Of(certificate.pem), "-t", keychain] as const;
      const fix = `in a terminal of the desktop: security ${argv.map(pastedWord).join(" ")}`;
      try {
        if (!(await has(certificate))) return { kind: "already" };
        const result = await run([program, ...argv], { deadline: askingDeadline });
        const why = failureOf(program, result);
        if (why !== undefined) return { kind: "failed", why, fix };
        if (await has(certificate)) {
          return { kind: "failed", why: "it is still in the keychain", fix };
        }
        return { kind: "done" };
      } catch (error) {
        return { kind: "failed", why: textOf(error), fix };
      }
    },
  };
}

/** The certificates that Java trusts, and our authorities -> a truststore, and the JAVA_TOOL_OPTIONS that name it. */
import { join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { whereIs } from "../../system/search-path.ts";
import { certificateFile } from "../../tls/certificate-file.ts";
import { keptOf, type Kept, systemRoots, writeBundle } from "../../tls/trust/bundle.ts";
import { exists } from "../../tls/trust/exists.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { failureOf } from "../../tls/trust/failure-text.ts";
import type { Settings } from "../shared/settings.ts";

export type JavaJob = {
  settings: Settings;
  machine: Machine;
  ours: readonly string[];
  note(text: string): void;
};

/** Java's default password. Not a secret: the certificates that it protects are public. */
const usualPassword = "changeit";

const property = "-Djavax.net.ssl.trustStore";

/** Milliseconds for a JVM to start on a busy machine. */
const keytoolDeadline = 30_000;

/**
 * Undefined where there is no Java, because every JVM prints "Picked up JAVA_TOOL_OPTIONS", and where the person's own
 * settings cannot be kept.
 */
export async function writeTruststore(job: JavaJob): Promise<string | undefined> {
  const { machine, settings, ours, note } = job;
  if (!hasJava(machine)) return undefined;
  const options = wordsOf(machine.env.JAVA_TOOL_OPTIONS ?? "");
  if (options === undefined) {
    note("JAVA_TOOL_OPTIONS has an unclosed quote, and is left unchanged");
    return undefined;
  }
  const set = options
    .findLast((word) => word.startsWith(`${property}=`))
    ?.slice(property.length + 1);
  const password = options
    .findLast((word) => word.startsWith(`${property}Password=`))
    ?.slice(property.length + "Password=".length);
  try {
    const { kept, read } = await sourceOf(set, { password: password ?? usualPassword, job });
    const bundle = await writeBundle(kept, {
      ours,
      stateDirectory: settings.stateDirectory,
      ...(read === undefined ? {} : { read }),
    });
    const path = bundle.path.replace(/\.pem$/, ".p12");
    await refreshTruststore(path, bundle.pem);
    // The last of two options wins, but the list must not grow with every shell.
    const others = options.filter((word) => !word.startsWith(property));
    return [
      ...others,
      `${property}=${path}`,
      `${property}Type=PKCS12`,
      `${property}Password=${usualPassword}`,
    ]
      .map(javaQuoted)
      .join(" ");
  } catch (error) {
    note(`JAVA_TOOL_OPTIONS is left unchanged: ${(error as Error).message}`);
    return undefined;
  }
}

type Source = { kept: Kept; read?: () => Promise<string> };

async function sourceOf(
  set: string | undefined,
  { password, job: { machine, settings } }: { password: string; job: JavaJob },
): Promise<Source> {
  const kept: Kept =
    set === undefined ? { kind: "nothing" } : await keptOf(set, settings.stateDirectory);
  if (set === undefined || kept.kind === "nothing")
    return { kept: await systemRoots(machine.root) };
  if (kept.kind === "file" && kept.path === set) {
    return {
      kept: { kind: "keystore", path: set },
      read: () => keystoreText(set, { machine, password }),
    };
  }
  // A truststore of ours, made from a keystore whose password is not in the variable any more.
  if (kept.kind === "keystore") {
    return { kept, read: () => keptPem(set.replace(/\.p12$/, ".pem")) };
  }
  return { kept };
}

/** Rewritten only if the certificates change: its checksum is salted, so that the file is never the same twice. */
export async function refreshTruststore(path: string, pem: string): Promise<void> {
  const mark = `${path}.of`;
  const digest = new Bun.CryptoHasher("sha256").update(pem).digest("hex");
  const made = await certificateFile(mark).catch(() => undefined);
  if (made === digest && (await exists(path))) return;
  const { javaTruststore } = await import("../../tls/trust/java-truststore.ts");
  await writeAtomically(path, await javaTruststore(pem));
  await writeAtomically(mark, digest);
}

async function keptPem(path: string): Promise<string> {
  const text = await certificateFile(path);
  if (text === undefined) throw new Error(`no such file: ${path}`);
  return text;
}

async function keystoreText(
  path: string,
  { machine, password }: { machine: Machine; password: string },
): Promise<string> {
  const home = machine.env.JAVA_HOME;
  const keytool = home ? join(home, "bin/keytool") : "keytool";
  const argv = [keytool, "-list", "-rfc", "-keystore", path, "-storepass", password] as const;
  const result = await machine.run([...argv], { deadline: keytoolDeadline });
  const why = failureOf("keytool", result);
  if (why !== undefined || result.kind !== "done") throw new Error(`${path}: ${why}`);
  return result.stdout;
}

function hasJava({ env }: Machine): boolean {
  return Boolean(env.JAVA_HOME) || whereIs("java", env.PATH) !== undefined;
}

/** Splits as the JVM does: at white space, with either quote around words that have some. Undefined: unclosed quote. */
export function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (const character of text) {
    if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}

/** The JVM has no escapes, so each kind of quote is written within the other. */
export function javaQuoted(word: string): string {
  if (!/[\s"']/.test(word) && word !== "") return word;
  return word
    .split(/("+)/)
    .filter((part, index) => part !== "" || (index === 0 && word === ""))
    .map((part) => (part.startsWith('"') ? `'${part}'` : `"${part}"`))
    .join("");
}

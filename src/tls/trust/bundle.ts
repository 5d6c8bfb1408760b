/**
 * The roots a program trusted before, and our certificate authorities -> one file with both, in the state directory.
 */
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { writeAtomically } from "../../system/atomic-file.ts";
import { certificateFile } from "../certificate-file.ts";
import { bodiesOf, pemOf } from "./pem.ts";

/** The content of a bundle besides our certificate authorities. */
export type Kept =
  /** Nothing: the program adds the bundle to its usual roots. */
  | { kind: "nothing" }
  /** A file of the person, or the system's roots. */
  | { kind: "file"; path: string }
  /** Mozilla's roots as built into the runtime, for systems without a file of their own. */
  | { kind: "built-in" }
  /** The certificate authorities in a Java keystore, which only Java's own tool can read. */
  | { kind: "keystore"; path: string };

export type Bundle = { path: string; pem: string };

/** Where systems keep the file with all roots; the first existing one is used. */
const systemBundles = [
  // Debian, Ubuntu, Arch, Alpine:
  "/etc/ssl/certs/ca-certificates.crt",
  // Fedora, RHEL:
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  // openSUSE:
  "/var/lib/ca-certificates/ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  // macOS, Alpine:
  "/etc/ssl/cert.pem",
];

const madeBy = "# Made by localhostess env; do not edit.";
const keptLine = "# Besides ours, it has: ";
const oursLine = "# The authorities of localhostess:";

export function bundleDirectory(stateDirectory: string): string {
  return join(stateDirectory, "env");
}

/** The roots that programs on this system trust by default. */
export async function systemRoots(root: string): Promise<Kept> {
  for (const name of systemBundles) {
    const path = join(root, name);
    const about = await stat(path).catch(() => {
      // This path belongs to another system.
      return undefined;
    });
    if (about?.isFile() === true && about.size > 0) return { kind: "file", path };
  }
  return { kind: "built-in" };
}

/**
 * The roots that a variable selected before we set it. If its value names one of our own bundles, this is what that
 * bundle keeps. So a shell may read `env` a second time.
 */
export async function keptOf(path: string, stateDirectory: string): Promise<Kept> {
  if (!path.startsWith(`${bundleDirectory(stateDirectory)}/`)) return { kind: "file", path };
  const text = await certificateFile(path.replace(/\.p12$/, ".pem")).catch(() => undefined);
  const line = text?.split("\n").find((its) => its.startsWith(keptLine));
  // The bundle was removed, so what it kept is no longer known.
  if (line === undefined) return { kind: "nothing" };
  return JSON.parse(line.slice(keptLine.length)) as Kept;
}

/**
 * Writes the bundle, unless it already has exactly this content. Its name is derived from what it keeps, so two shells
 * with different variables do not overwrite each other's bundles.
 *
 * @throws Error if the roots to keep cannot be read, or have no certificate.
 */
export async function writeBundle(
  kept: Kept,
  {
    ours,
    stateDirectory,
    read,
  }: { ours: readonly string[]; stateDirectory: string; read?: () => Promise<string> },
): Promise<Bundle> {
  const bodies = bodiesOf(await (read ?? (() => keptText(kept)))());
  if (bodies.length === 0 && kept.kind !== "nothing") {
    throw new Error(
      `there is no certificate in ${"path" in kept ? kept.path : "the built-in roots"}`,
    );
  }
  const name = createHash("sha256").update(JSON.stringify(kept)).digest("hex").slice(0, 12);
  const path = join(bundleDirectory(stateDirectory), `${name}.pem`);
  const own = new Set(ours.flatMap(bodiesOf));
  const text = [
    madeBy,
    `${keptLine}${JSON.stringify(kept)}`,
    ...[...new Set(bodies)].filter((body) => !own.has(body)).map(pemOf),
    `${oursLine}\n${[...own].map(pemOf).join("")}`,
  ].join("\n");
  await replace(path, text);
  return { path, pem: text };
}

/**
 * Writes new certificate authorities into every bundle that shells may be using.
 * @returns the bundles. @throws Error of the file system.
 */
export async function renewBundles(
  stateDirectory: string,
  ours: readonly string[],
): Promise<Bundle[]> {
  const directory = bundleDirectory(stateDirectory);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const bundles: Bundle[] = [];
  for (const name of names) {
    if (!name.endsWith(".pem")) continue;
    const path = join(directory, name);
    const text = (await certificateFile(path)) ?? "";
    const end = text.indexOf(oursLine);
    if (!text.startsWith(madeBy) || end === -1) continue;
    const pem = `${text.slice(0, end)}${oursLine}\n${ours.flatMap(bodiesOf).map(pemOf).join("")}`;
    await replace(path, pem);
    bundles.push({ path, pem });
  }
  return bundles;
}

async function keptText(kept: Kept): Promise<string> {
  if (kept.kind === "nothing") return "";
  if (kept.kind === "built-in") return rootCertificates.join("\n");
  const text = await certificateFile(kept.path);
  if (text === undefined) throw new Error(`there is no file ${kept.path}`);
  return text;
}

async function replace(path: string, text: string): Promise<void> {
  const there = await certificateFile(path).catch(() => {
    // The old bundle cannot be read; it is overwritten either way.
    return undefined;
  });
  if (there !== text) await writeAtomically(path, text);
}

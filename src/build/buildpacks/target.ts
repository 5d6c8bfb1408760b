/** This machine -> the target that buildpacks are told of, and whether one of theirs is satisfied by it. */
import { readText } from "../../system/read-text.ts";
import type { Buildpack, Target } from "./buildpack.ts";

/** In the words of the OCI image spec. */
export type Machine = {
  os: string;
  arch: string;
  variant: string | undefined;
  distro: { name: string; version: string | undefined } | undefined;
};

/** Bytes of /etc/os-release, which has less than 1 KiB. */
const longest = 64 * 1024;

const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

export async function thisMachine(
  { root = "/" }: { root?: string } = {}, //
): Promise<Machine> {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const arch = architectures[process.arch] ?? process.arch;
  return {
    os,
    arch,
    variant: undefined,
    distro: os === "linux" ? await distroIn(root) : undefined,
  };
}

/** os-release(5) looks in these two places, and takes the first. */
async function distroIn(root: string): Promise<Machine["distro"]> {
  for (const name of ["etc/os-release", "usr/lib/os-release"]) {
    const its = await readText(`${root}/${name}`, { longest, lossy: true });
    if (its.kind === "text") return distroOf(its.text);
  }
  return undefined;
}

/** `ID` and `VERSION_ID` of os-release(5); a rolling distribution has no version. Pure. */
export function distroOf(text: string): Machine["distro"] {
  const textOf = (key: string): string | undefined => {
    const written = text.match(new RegExp(`^${key}=(.*)$`, "m"))?.[1]?.trim();
    return written?.replace(/^(["'])(.*)\1$/, "$2") || undefined;
  };
  const name = textOf("ID");
  return name === undefined ? undefined : { name, version: textOf("VERSION_ID") };
}

/** Buildpacks spec, "Provided by the Lifecycle": a variable without a value is not set. Pure. */
export function targetVariables({ os, arch, variant, distro }: Machine): Record<string, string> {
  const variables = {
    CNB_TARGET_OS: os,
    CNB_TARGET_ARCH: arch,
    CNB_TARGET_ARCH_VARIANT: variant,
    CNB_TARGET_DISTRO_NAME: distro?.name,
    CNB_TARGET_DISTRO_VERSION: distro?.version,
  };
  const set = Object.entries(variables).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set as [string, string][]);
}

/** A field that either side does not name matches any. Buildpacks spec, "Targets". Pure. */
export function isFor({ targets }: Pick<Buildpack, "targets">, machine: Machine): boolean {
  return targets.some(
    ({ os, arch, variant, distros }) =>
      isSame(os, machine.os) &&
      isSame(arch, machine.arch) &&
      isSame(variant, machine.variant) &&
      (distros.length === 0 || distros.some((its) => isOfDistro(its, machine))),
  );
}

function isOfDistro({ name, version }: Target["distros"][number], { distro }: Machine): boolean {
  return isSame(name, distro?.name) && isSame(version, distro?.version);
}

function isSame(declared: string | undefined, actual: string | undefined): boolean {
  return declared === undefined || actual === undefined || declared === actual;
}

/** `linux/amd64, ubuntu 24.04`; pure. */
export function machineText({ os, arch, distro }: Machine): string {
  const version = distro?.version === undefined ? "" : ` ${distro.version}`;
  return `${os}/${arch}${distro === undefined ? "" : `, ${distro.name}${version}`}`;
}

/** `linux/amd64 on ubuntu 22.04 or 24.04`; pure. */
export function targetText({ os, arch, variant, distros }: Target): string {
  const parts = [os ?? "any system", arch, variant].filter((its) => its !== undefined);
  const on = distros.map(({ name, version }) => `${name ?? "any"}${version ? ` ${version}` : ""}`);
  return `${parts.join("/")}${on.length === 0 ? "" : ` on ${on.join(" or ")}`}`;
}

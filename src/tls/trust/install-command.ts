/** A missing program -> the command that installs it on this system. */
import { join } from "node:path";
import { readText } from "../../system/read-text.ts";
import type { Machine } from "./store.ts";

type Family = "debian" | "fedora" | "arch" | "suse" | "alpine" | "nixos" | "darwin";

export type Missing = "certutil" | "ca-certificates" | "resolver" | "setcap";

const commands: Record<Missing, Partial<Record<Family, string>>> = {
  certutil: {
    debian: "sudo apt-get install libnss3-tools",
    fedora: "sudo dnf install nss-tools",
    arch: "sudo pacman -S nss",
    suse: "sudo zypper install mozilla-nss-tools",
    alpine: "sudo apk add nss-tools",
    nixos: "nix-shell -p nss.tools",
    darwin: "brew install nss",
  },
  "ca-certificates": {
    debian: "sudo apt-get install ca-certificates",
    fedora: "sudo dnf install ca-certificates",
    arch: "sudo pacman -S ca-certificates-utils",
    suse: "sudo zypper install ca-certificates",
    alpine: "sudo apk add ca-certificates",
  },
  resolver: {
    debian: "sudo apt-get install libnss-myhostname",
    fedora: "sudo dnf install systemd-libs",
    arch: "sudo pacman -S systemd-libs",
    suse: "sudo zypper install nss-myhostname",
  },
  setcap: {
    debian: "sudo apt-get install libcap2-bin",
    fedora: "sudo dnf install libcap",
    arch: "sudo pacman -S libcap",
    suse: "sudo zypper install libcap-progs",
    alpine: "sudo apk add libcap-setcap",
  },
};

const otherwise: Record<Missing, string> = {
  certutil: "install the package of your system that has NSS's certutil",
  "ca-certificates": "install your system's package of certificate authorities",
  resolver: "install nss-myhostname",
  setcap: "install the package of your system that has setcap",
};

/** Names in os-release(5), and the family each belongs to. */
const families: readonly (readonly [pattern: RegExp, family: Family])[] = [
  [/^(debian|ubuntu|linuxmint|pop|raspbian)$/, "debian"],
  [/^(fedora|rhel|centos|rocky|almalinux|ol|amzn)$/, "fedora"],
  [/^(arch|archarm|manjaro|endeavouros)$/, "arch"],
  [/^(suse|opensuse|sles)|^opensuse-/, "suse"],
  [/^alpine$/, "alpine"],
  [/^nixos$/, "nixos"],
];

export async function installCommand(
  missing: Missing,
  machine: Pick<Machine, "platform" | "root">,
): Promise<string> {
  const family = await familyOf(machine);
  return (family && commands[missing][family]) ?? otherwise[missing];
}

async function familyOf({
  platform,
  root,
}: Pick<Machine, "platform" | "root">): Promise<Family | undefined> {
  if (platform === "darwin") return "darwin";
  // Without this file, nothing is known about the system.
  const its = await readText(join(root, "etc/os-release"), { longest: 64 * 1024, lossy: true });
  const text = its.kind === "text" ? its.text : "";
  const value = (key: string) => text.match(new RegExp(`^${key}="?([^"\n]*)"?$`, "m"))?.[1] ?? "";
  for (const id of `${value("ID")} ${value("ID_LIKE")}`.toLowerCase().split(/\s+/)) {
    const found = families.find(([pattern]) => pattern.test(id));
    if (found !== undefined) return found[1];
  }
  return undefined;
}

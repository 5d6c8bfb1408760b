/** A system whose resolver does not know `*.localhost` -> the command after which its programs do. */
import { join } from "node:path";
import { readText } from "../../system/read-text.ts";
import { shellWord } from "../../text/shell-words.ts";
import { exists } from "../../tls/trust/exists.ts";
import { installCommand } from "../../tls/trust/install-command.ts";
import type { Machine } from "../../tls/trust/store.ts";

export type RemedyMachine = Pick<Machine, "platform" | "root">;

/** Systems keep libraries in one of these folders, or in one for their architecture inside of it. */
const libraries = ["lib", "lib64", "usr/lib", "usr/lib64"];
const architectures = ["x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf"];

/** The module of nss-myhostname(8), which resolves `localhost` and every name under it. */
const module = "libnss_myhostname.so.2";

/** nsswitch.conf(5): modules are asked in the order of this line. */
const hostsLine = /^hosts:([^#\n]*)/m;

/** In os-release(5): Alpine and what is made of it. */
const musl = /^ID(?:_LIKE)?=.*\balpine\b/m;

const addModule = "sudo sed -i 's/^\\(hosts:.*files\\)/\\1 myhostname/' /etc/nsswitch.conf";
const appendModule = "sudo sed -i '/^hosts:/ s/$/ myhostname/' /etc/nsswitch.conf";

/** `names`: those that have to be found; a system without such modules knows no others. */
export async function resolverRemedy(
  machine: RemedyMachine,
  names: readonly string[],
): Promise<string> {
  const line = hostsLine.exec(await textOf(machine, "etc/nsswitch.conf"))?.[1];
  // macOS and musl have a hosts file, and no modules. Images of Alpine have nsswitch.conf too, which Go reads there.
  const isMusl = musl.test(await textOf(machine, "etc/os-release"));
  if (machine.platform !== "linux" || isMusl || line === undefined) return hostsRemedy(names);
  const named = /\smyhostname(\s|$)/.test(line);
  const edit = /\sfiles(\s|$)/.test(line) ? addModule : appendModule;
  const install = await installCommand("resolver", machine);
  if (await hasModule(machine)) return named ? hostsRemedy(names) : edit;
  // Debian's package changes the line by itself.
  return named || install.includes("apt-get") ? install : `${install}; then: ${edit}`;
}

/** Whether the system's files say that its resolver knows every name under `localhost`. */
export async function knowsLocalhost(machine: RemedyMachine): Promise<boolean> {
  const line = hostsLine.exec(await textOf(machine, "etc/nsswitch.conf"))?.[1] ?? "";
  return /\smyhostname(\s|$)/.test(line) && (await hasModule(machine));
}

/** A line for each name: the hosts file has no patterns. */
function hostsRemedy(names: readonly string[]): string {
  return `echo ${shellWord(`127.0.0.1 ${names.join(" ")}`)} | sudo tee -a /etc/hosts`;
}

/** Empty where the file is missing or cannot be read: nothing is known then. */
async function textOf({ root }: RemedyMachine, path: string): Promise<string> {
  const its = await readText(join(root, path), { longest: 64 * 1024, lossy: true });
  return its.kind === "text" ? its.text : "";
}

async function hasModule({ root }: RemedyMachine): Promise<boolean> {
  const folders = libraries.flatMap((its) => [its, ...architectures.map((one) => join(its, one))]);
  const found = await Promise.all(folders.map((its) => exists(join(root, its, module))));
  return found.includes(true);
}

/** The root of a Linux system's files -> the first port on which every user may listen: ip(7). */
import { join } from "node:path";
import { readText } from "./read-text.ts";

/** Where the kernel has no such setting. */
const usual = 1024;

export async function firstFreePort(root: string): Promise<number> {
  const path = join(root, "proc/sys/net/ipv4/ip_unprivileged_port_start");
  const its = await readText(path, { longest: 1024 });
  // Not Linux, or older than 4.11.
  if (its.kind !== "text" || its.text.trim() === "") return usual;
  return Number(its.text);
}

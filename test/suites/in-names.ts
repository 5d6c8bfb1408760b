/**
 * A command into the same command for which a name means 127.0.0.1: programs that ask the system's resolver do not
 * find names under localhost. The file of hosts is laid over the system's for that command alone, which needs root.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export function inNames(
  argv: readonly string[],
  { host, dir }: { host: string; dir: string },
): string[] {
  const hosts = join(dir, "hosts");
  writeFileSync(hosts, `127.0.0.1 localhost ${host}\n`);
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, hosts, ...argv];
}

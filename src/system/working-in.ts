/** A folder -> processes of ours whose working directory is in it. Linux; none elsewhere. */
import { readdirSync, readlinkSync } from "node:fs";

/** `folder`: absolute, without links in it. This process is not among them. */
export function workingIn(
  folder: string,
  { platform = process.platform as string }: { platform?: string } = {},
): number[] {
  if (platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid) || pid === process.pid) return false;
      try {
        const its = readlinkSync(`/proc/${pid}/cwd`);
        return its === folder || its.startsWith(`${folder}/`);
      } catch {
        // Another user's, or gone.
        return false;
      }
    });
}

/** A container on this machine's own network -> its first process here, whose sockets are its servers'. Linux. */
import type { ProcessIdentity } from "../routes/service.ts";
import { processNow } from "../system/process-now.ts";
import { readBeginning } from "../system/read-text.ts";

/** USER_HZ is 100 on every Linux that we know: a tick is 10 ms. */
const tick = 10;

/** Bytes: a line for each control group, or for each processor. */
const longestFile = 256 * 1024;

export type HostContainer = { id: string; pid: number };

/** The answer of `GET /containers/<id>/json` for one on the host's network; undefined for any other. Pure. */
export function readHostContainer(text: string): HostContainer | undefined {
  try {
    const { Id, State, HostConfig } = JSON.parse(text);
    const pid = State?.Pid;
    if (HostConfig?.NetworkMode !== "host" || typeof Id !== "string") return undefined;
    return Number.isInteger(pid) && pid > 1 ? { id: Id, pid } : undefined;
  } catch {
    // No JSON, or no container: it has gone since the list.
    return undefined;
  }
}

/**
 * Undefined where the process with this pid is not the container's: an engine in a machine of its own, or in another
 * pid namespace, counts otherwise than we do. The kernel has the container's id in the name of its control group.
 */
export async function containerProcess(
  { id, pid }: HostContainer,
  { root = "/proc" }: { root?: string } = {},
): Promise<ProcessIdentity | undefined> {
  const groups = await readBeginning(`${root}/${pid}/cgroup`, longestFile);
  if (groups === undefined || !groups.includes(id)) return undefined;
  const statistics = await readBeginning(`${root}/stat`, longestFile);
  const booted = Number(/^btime (\d+)$/m.exec(statistics?.toString("latin1") ?? "")?.[1] ?? 0);
  const its = processNow(pid);
  if (its === undefined || its.zombie) return undefined;
  return { pid, startedAt: (booted + Math.floor((its.startTicks * tick) / 1000)) * 1000 };
}

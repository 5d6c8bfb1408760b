/** Limits -> this process, which the kernel holds to them from now on. Uses libc. */
import { libc } from "./libc.ts";

export type OwnLimits = {
  /** Seconds of processor time, after which the kernel ends the process. */
  processorTime: number;
};

/** The same numbers on Linux and macOS. */
const RLIMIT_CPU = 0;
const RLIMIT_CORE = 4;

/** Also without a core file: what a plugin's memory holds is nobody's. A system without libc has no such limits. */
export function limitThisProcess({ processorTime }: OwnLimits): void {
  const calls = libc({ setrlimit: { args: ["i32", "ptr"], returns: "i32" } });
  const limit = (resource: number, value: number): void => {
    calls?.setrlimit(resource, new BigUint64Array([BigInt(value), BigInt(value)]));
  };
  limit(RLIMIT_CPU, processorTime);
  limit(RLIMIT_CORE, 0);
}

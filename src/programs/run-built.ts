/** The order of a service that is built -> its build, and then its command in the place of this process. */
import type { BuiltSpec } from "../manifest/types/build.ts";
import type { Running } from "./running.ts";

/** Resolves with an exit code, unless the service takes the place of this process. */
export async function runBuilt(running: Running): Promise<number> {
  const { build } = running.order.own as BuiltSpec;
  return running.cannot(`its build (${build.kind}) is not run yet`);
}

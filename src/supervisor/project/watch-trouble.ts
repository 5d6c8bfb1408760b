/** Why changes are not heard of -> a sentence for a person, with what helps. Pure. */
import { remote } from "../../system/folder-events.ts";

export type Trouble = {
  /** The code of an error of a watch. */
  code: string;
  /** The first folder that it concerns. */
  path: string;
  /** Milliseconds between looks instead. */
  period: number;
};

/** By code: the limit, in numbers that editors and other watchers recommend. */
const limits: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "fs.inotify.max_user_watches=524288"],
  ["EMFILE", "fs.inotify.max_user_instances=1024"],
]);

/** Undefined where it is as good as none: the looks see every change. */
export function troubleText({ code, path, period }: Trouble): string | undefined {
  const instead = `it is looked at every ${period / 1000} s instead`;
  if (code === remote) return undefined;
  const limit = limits.get(code);
  if (limit === undefined) return `${path} cannot be watched (${code}); ${instead}`;
  const [name] = limit.split("=");
  return `no file watch is left for ${path} (${name}); ${instead}; raise the limit with: sudo sysctl ${limit}`;
}

export function fullText(its: { folder: string; most: number; left: string }): string {
  const { folder, most, left } = its;
  return `watch of ${folder} covers more than ${most} folders, so changes in others, such as ${left}, are not noticed; name less, or exclude with ! what is not meant`;
}

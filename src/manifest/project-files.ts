/** `include` or `exclude` of a project.toml -> the files of the folder that are part of a build. Pure. */
import { readPathRules } from "./path-rules.ts";
import type { ProjectDescriptor } from "./project-descriptor.ts";

/** Paths are relative to the folder, without a slash at either end. */
export type ProjectFiles = {
  takes(path: string, options: { isFolder: boolean }): boolean;
  /** Whether something below a folder that is not taken itself may be. */
  mayHoldMore(folder: string): boolean;
};

/** Histories of repositories, packages that the build installs anew, and what we keep in a project. */
export const usuallyLeftOut: readonly string[] = [
  ...[".git", ".hg", ".svn"],
  ...["node_modules", ".locald"],
];

/**
 * Without a word in the file, all but those that are usually left out. An `exclude` adds to those, and `!node_modules`
 * in it takes one back; an `include` takes one of those where a pattern names it: `node_modules/`.
 */
export function projectFiles({
  include,
  exclude,
}: Pick<ProjectDescriptor, "include" | "exclude">): ProjectFiles {
  if (include === undefined) {
    const { rules } = readPathRules([...usuallyLeftOut, ...(exclude ?? [])]);
    // As in git: below a folder that is excluded, nothing can be taken back.
    return { takes: (path, options) => !rules.matches(path, options), mayHoldMore: () => false };
  }
  const { rules } = readPathRules(include);
  const isLeftOut = (path: string): boolean => {
    const parts = path.split("/");
    return parts.some((name, index) => {
      if (!usuallyLeftOut.includes(name)) return false;
      const above = parts.slice(0, index + 1).join("/");
      return !rules.names(above, { isFolder: true });
    });
  };
  return {
    takes: (path, options) => rules.matches(path, options) && !isLeftOut(path),
    mayHoldMore: (folder) => !isLeftOut(folder),
  };
}

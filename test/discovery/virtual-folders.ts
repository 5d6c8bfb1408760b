/** Paths and texts of files -> the projects in their folders, as from a disk. */
import { dirname } from "node:path";
import { manifests, readManifest, workspaceFiles } from "../../src/discovery/manifest-names.ts";
import { type FolderFacts, projectIn } from "../../src/discovery/project.ts";
import { isProgramsOwn, projectChain } from "../../src/discovery/project-chain.ts";
import type { ProjectFolders } from "../../src/discovery/project-folders.ts";

/** `/srv/shop/.git`: a repository; `label of name` in it is a linked worktree of the repository `name`. */
export type Files = Readonly<Record<string, string>>;

export function virtualFolders(files: Files, home = "/home/me"): ProjectFolders {
  const factsOf = (path: string): FolderFacts => {
    const textOf = (file: string): string | undefined => files[`${path}/${file}`];
    const git = textOf(".git");
    const [label, name] = git?.split(" of ") ?? [];
    return {
      path,
      manifests: Object.keys(manifests).flatMap((file) => {
        const text = textOf(file);
        return text === undefined ? [] : [[file, readManifest(file, text)] as const];
      }),
      workspace: workspaceFiles.some((file) => textOf(file) !== undefined),
      checkout:
        git === undefined
          ? undefined
          : {
              name: name ?? path.slice(path.lastIndexOf("/") + 1),
              label: label || undefined,
              repository: name ?? path,
            },
    };
  };
  return {
    of({ cwd = "" }) {
      const chain = projectChain(cwd, [home]).map(factsOf);
      const isCheckout = chain.some(({ checkout }) => checkout !== undefined);
      return isProgramsOwn(cwd, [home]) && !isCheckout ? undefined : projectIn(chain);
    },
    isThere: (folder) => Object.keys(files).some((file) => dirname(file).startsWith(folder)),
  };
}

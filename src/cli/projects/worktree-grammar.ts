/** The verbs that make, list and remove worktrees -> their part of the grammar. */
import type { Command } from "commander";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { Flags } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import type { WorktreeAddFlags } from "./worktree-add.ts";
import type { WorktreeRemoveFlags } from "./worktree-remove.ts";

export function worktreeVerbs(program: Command, choose: Choose, world: World): void {
  const worktree = program
    .command("worktree")
    .description("make, list and remove worktrees, each with its own project");
  worktree.helpCommand(false);
  const add = worktree
    .command("add")
    .description("make a worktree of a branch, and bring its project up there")
    .argument("<branch>", "the branch; a new one begins where this checkout is")
    .argument("[folder]", "where it is made (default: ../<folder>.<branch>)")
    .option("--from <commit>", "where a new branch begins")
    .option("--no-setup", "do not run the setup of locald.toml")
    .option("--no-up", "do not start its services")
    .option(
      "--fork <service>",
      "give it a copy of the data of a database here; repeatable",
      (service: string, before: string[] = []) => [...before, service],
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Copies the paths of [worktree] copy, which git does not bring, and runs its
setup. Said again, it goes on with the worktree that is there.`,
    )
    .action((branch: string, folder: string | undefined, flags: WorktreeAddFlags) =>
      choose(async () =>
        (await import("./worktree-add.ts")).worktreeAdd({ branch, folder }, flags, world),
      ),
    );
  example(add, "localhostess worktree add fix/nav");

  const remove = worktree
    .command("remove")
    .description("stop the project of a worktree, free what it had, and remove the worktree")
    .argument("<worktree>", "its branch, label or folder")
    .option("-f, --force", "also where it has changes that no commit has")
    .addOption(jsonOption())
    .addHelpText("after", "\nThe branch stays. The main checkout is never removed.")
    .action((word: string, flags: WorktreeRemoveFlags) =>
      choose(async () => (await import("./worktree-remove.ts")).worktreeRemove(word, flags, world)),
    );
  example(remove, "localhostess worktree remove fix/nav");

  const list = worktree
    .command("list")
    .description("print the checkouts of this repository, and what is up in them")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./worktree-list.ts")).worktreeList(flags, world)),
    );
  example(list, "localhostess worktree list --json | jq -r '.[].folder'");
  example(worktree, "localhostess worktree add fix/nav");
}

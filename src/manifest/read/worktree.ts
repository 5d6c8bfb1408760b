/** `[worktree]` -> how a worktree is made ready and ended, or the errors in that. Pure. */
import { tableIn } from "../layer.ts";
import type { WorktreeSpec } from "../project.ts";
import { worktreeSchema } from "../schema.ts";
import type { Known } from "./fields.ts";
import type { Reading } from "./reading.ts";

export function readWorktree({ tree, fields, mistakes }: Reading): WorktreeSpec {
  const its = tableIn(tree, "worktree");
  const isDeclared = tree.entries.has("worktree");
  const read = <Value>(key: string): Known<Value> | undefined => {
    const known = fields.read<Value>(its, { key, schema: worktreeSchema, quiet: true });
    if (isDeclared && known !== undefined && its.entries.has(key)) {
      fields.note(["worktree", key], known);
    }
    return known;
  };
  const copy = read<string[]>("copy");
  for (const [index, path] of (copy?.value ?? []).entries()) {
    if (!/^[/~]/.test(path)) continue;
    const at = { source: copy!.source, path: [...copy!.path, index] };
    mistakes.add(at, "a path in the repository is relative to the project's folder");
  }
  return {
    copy: copy?.value ?? [],
    setup: read<string>("setup")?.value,
    teardown: read<string>("teardown")?.value,
    folder: read<string>("folder")?.value ?? "..",
  };
}

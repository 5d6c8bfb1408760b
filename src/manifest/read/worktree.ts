/** `[worktree]` -> how a worktree is made ready and ended, or the errors in that. Pure. */
import { tableIn } from "../layer.ts";
import type { WorktreeSpec } from "../project.ts";
import { worktreeSchema } from "../schema.ts";
import type { Known } from "./fields.ts";
import type { At } from "./mistakes.ts";
import type { Reading } from "./reading.ts";

export function readWorktree({ options, tree, fields, mistakes }: Reading): WorktreeSpec {
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
  const folder = read<string>("folder");
  if (folder !== undefined && !isPersonal(folder, options) && leadsAway(folder.value)) {
    const what = "a committed file may name a folder beside the main checkout, or inside it";
    mistakes.add(folder, `${what}; config.toml and locald.local.toml may name any`);
  }
  return {
    copy: copy?.value ?? [],
    setup: read<string>("setup")?.value,
    teardown: read<string>("teardown")?.value,
    folder: folder?.value ?? "..",
  };
}

/** Whether a person has written it for themselves. */
function isPersonal({ source }: At, { layers, local }: Reading["options"]): boolean {
  const personal = layers.filter((layer) => layer.personal).map(({ tree }) => tree.source);
  return source === local || personal.includes(source);
}

/** A repository could otherwise put its files where a program of the person's loads them from. */
function leadsAway(folder: string): boolean {
  let depth = 0;
  for (const part of folder.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < -1) return true;
  }
  return /^[/~]/.test(folder);
}

/** `localhostess uninstall` -> a machine without it: everything listed, agreed to, and taken away in order. */
import { printable } from "../../text/printable.ts";
import { exitCode } from "../shared/exit-code.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import type { Piece, UninstallFlags } from "./piece.ts";
import { piecesOf } from "./pieces.ts";

/** Characters of a line that is shown. */
const longest = 500;

export async function uninstall(flags: UninstallFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world, { withoutConfig: true });
  if (settings.sandbox !== undefined) {
    throw new UsageError([
      "--sandbox: sandboxes are taken away with everything else; to end this one: localhostess server stop",
    ]);
  }
  const { pieces, notes } = await piecesOf({ flags, settings, world });
  const { out, err, json } = world;
  if (json === undefined) {
    for (const piece of pieces) tell(piece, world);
    for (const note of notes) err.write(`${err.colors.dim(printable(note, longest))}\n`);
    if (pieces.length === 0) out.write("nothing to remove\n");
  }
  let removed: readonly Piece[] = [];
  if (!flags.dryRun && pieces.length > 0) {
    await agreed(pieces, { flags, world });
    removed = await removeAll(pieces, world);
  }
  if (json !== undefined) {
    const isRemoved = new Set(removed);
    printJson(world, {
      pieces: pieces.map((piece) => ({
        ...{ piece: piece.id, what: piece.what, details: piece.details, data: piece.isData },
        removed: isRemoved.has(piece),
      })),
      notes,
    });
  }
  return exitCode.done;
}

function tell({ what, details, isData }: Piece, { out }: World): void {
  const mark = isData ? ` ${out.colors.red("(cannot be made again)")}` : "";
  out.write(`${printable(what, longest)}${mark}\n`);
  for (const line of details) out.write(`    ${out.colors.dim(printable(line, longest))}\n`);
}

type Asked = { flags: UninstallFlags; world: World };

async function agreed(pieces: readonly Piece[], { flags, world }: Asked): Promise<void> {
  if (flags.yes) return;
  const data = pieces.some(({ isData }) => isData);
  const question = data
    ? "Remove all of this, with the data? (--keep-data keeps it) [y/N] "
    : "Remove all of this? [y/N] ";
  const answer = world.json === undefined ? await world.prompt(question) : undefined;
  if (answer === undefined) {
    throw new UsageError(["nothing was removed, as nobody can be asked here; say so with --yes"]);
  }
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure("declined", "nothing was removed");
}

/** Ends with the first that fails: what comes behind it may need what is in front. */
export async function removeAll(pieces: readonly Piece[], world: World): Promise<readonly Piece[]> {
  const { err } = world;
  for (const [at, piece] of pieces.entries()) {
    try {
      await piece.remove();
    } catch (error) {
      const left = pieces.slice(at).map(({ what }) => what);
      throw new Failure(
        "failed",
        `${piece.what}: ${(error as Error).message}; still there: ${left.join(", ")}; once that is mended: localhostess uninstall`,
      );
    }
    err.write(`${err.colors.dim(`removed: ${printable(piece.what, longest)}`)}\n`);
  }
  return pieces;
}

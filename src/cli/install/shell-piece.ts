/** Start-up files of shells -> the lines of ours in them, as one piece. */
import { counted } from "../../text/counted.ts";
import { shownFolder } from "../shared/rows.ts";
import type { Found, Here } from "./piece.ts";
import { removeOurs, shellFilesWithOurs } from "./shell-files.ts";

export async function shellPieces({ world }: Here): Promise<Found> {
  const { home, env } = world;
  const files = await shellFilesWithOurs({ home, env });
  const ours = files.filter(({ removed }) => removed.length > 0);
  const lines = ours.flatMap(({ path, removed }) =>
    removed.map((line) => `${shownFolder(path, home)}: ${line}`),
  );
  const notes = files.flatMap(({ path, others }) =>
    others.map(
      (line) => `${shownFolder(path, home)}:${line} names localhostess, and stays as it is`,
    ),
  );
  if (lines.length === 0) return { pieces: [], notes };
  const what = `${counted(lines.length, "line")} in start-up files of shells`;
  const remove = async (): Promise<void> => {
    for (const { path } of ours) await removeOurs(path);
  };
  return { pieces: [{ id: "shells", what, details: lines, isData: false, remove }], notes };
}

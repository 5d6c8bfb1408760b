/** The words of a command, and who runs it -> the number of the user that something is set up for. */
import { join } from "node:path";
import { readText } from "../../system/read-text.ts";
import { shown } from "../../text/shown.ts";
import { UsageError } from "../shared/settings.ts";

export type Whose = {
  /** `--user`. */
  user: string | undefined;
  /** The user of this process. */
  uid: number;
  /** Set by sudo. */
  sudoUid: string | undefined;
  /** The root of the system's files. */
  root: string;
};

const number = /^(?:0|[1-9]\d{0,9})$/;

/** Bytes: a hundred thousand users. */
const longest = 8 * 1024 * 1024;

/** @throws UsageError */
export async function whose({ user, uid, sudoUid, root }: Whose): Promise<number> {
  if (user === undefined) return uid === 0 && number.test(sudoUid ?? "") ? Number(sudoUid) : uid;
  const found = number.test(user) ? Number(user) : await uidOf(user, root);
  if (found === undefined) {
    throw new UsageError([
      `--user: /etc/passwd has no user ${shown(user)}; its number does as well`,
    ]);
  }
  if (uid !== 0 && found !== uid) {
    throw new UsageError(["--user: only root may set up something for another user"]);
  }
  return found;
}

async function uidOf(name: string, root: string): Promise<number | undefined> {
  const its = await readText(join(root, "etc/passwd"), { longest, lossy: true });
  const lines = its.kind === "text" ? its.text.split("\n") : [];
  const fields = lines.map((line) => line.split(":")).find(([first]) => first === name);
  return number.test(fields?.[2] ?? "") ? Number(fields![2]) : undefined;
}

/** A root-owned program that came with this one -> the step that puts it in its place and gives it its right. */
import { existsSync, lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { unsafeFolderWhy, unsafeWhy } from "../../helper/installed.ts";
import { helperFolders } from "../../helper/places.ts";
import { fileHash } from "../../system/file-hash.ts";
import { shellWord } from "../../text/shell-words.ts";
import type { SetupPlace, Step } from "./plan.ts";
import { aboveIsOurs } from "./users-step.ts";

export type RootProgram = {
  /** The name of its file, and the id of the step. */
  name: string;
  purpose: string;
  undoing: string;
  /** The right that the file has. */
  right: {
    /** The command that gives it to the file `word`, which nobody but root can have changed. */
    grant(word: string): string;
    /** The command that takes it. */
    revoke(word: string): string;
    isGranted(path: string): boolean;
  };
  /** Another user of this machine needs it. */
  isShared: boolean;
};

export type Planned = {
  /** Undefined where nothing can be done, and nothing is there. */
  step: Step | undefined;
  /** Why it cannot be installed from here. */
  problem: { why: string; fix: string | null } | undefined;
};

export async function rootProgram(
  { machine: { root }, programs }: Pick<SetupPlace, "machine" | "programs">,
  { name, purpose, undoing, right, isShared }: RootProgram,
): Promise<Planned> {
  const [packaged, ours] = helperFolders.map((folder) => join(root, folder, name)) as [
    string,
    string,
  ];
  const source = programs.kind === "there" ? join(programs.folder, name) : undefined;
  const common = { id: name, purpose, undoing };
  if (source === packaged) {
    // A package of the system has put it there, and takes it away.
    const isGranted = right.isGranted(packaged);
    const why = unsafeWhy(packaged, { root });
    const step: Step = {
      ...common,
      isDone: isGranted,
      isThere: isGranted && !isShared,
      commands: [right.grant(shellWord(packaged))],
      removal: [right.revoke(shellWord(packaged))],
    };
    return { step, problem: why === undefined ? undefined : unsafe(why) };
  }
  const mine = dirname(ours);
  const words = [ours, `${ours}.new`, mine, join(mine, aboveIsOurs)].map(shellWord);
  const [path, fresh, folder, mark] = words;
  const removal = [`rm -f ${path} ${fresh}`];
  const isThere = (isFile(ours) || isFile(`${ours}.new`)) && !isShared;
  const hash = source === undefined ? undefined : await fileHash(source);
  if (programs.kind === "unbuilt" || hash === undefined) {
    const problem =
      programs.kind === "unbuilt"
        ? { why: `this copy of localhostess comes without ${name}`, fix: programs.build }
        : { why: `${source} cannot be read`, fix: null };
    const step = { ...common, isDone: false, isThere, commands: [], removal };
    return { step: isThere ? step : undefined, problem };
  }
  const isSafe = unsafeWhy(ours, { root }) === undefined;
  const step: Step = {
    ...common,
    isDone: isSafe && right.isGranted(ours) && (await fileHash(ours)) === hash,
    isThere,
    commands: [
      `install -d -m 755 -o root -g root ${folder}`,
      ...(existsSync(dirname(dirname(ours))) ? [] : [`touch ${mark}`]),
      `install -m 700 -o root -g root ${shellWord(source!)} ${fresh}`,
      // Root's own copy is looked at: whoever can change the file of the package cannot change that.
      `echo ${shellWord(`${hash}  ${ours}.new`)} | sha256sum -c -`,
      `chmod 755 ${fresh}`,
      right.grant(fresh!),
      `mv -f ${fresh} ${path}`,
    ],
    removal,
  };
  const why = unsafeFolderWhy(dirname(ours), { root });
  return { step, problem: why === undefined ? undefined : unsafe(why) };
}

function unsafe(why: string): { why: string; fix: null } {
  return {
    why: `${why}, so that a program with a right of root's would not be safe there`,
    fix: null,
  };
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path).isFile();
  } catch {
    // Not there.
    return false;
  }
}

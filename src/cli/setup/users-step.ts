/** A user and what it is to be allowed -> the step that writes its line into the users file. Pure. */
import { dirname, join } from "node:path";
import { rootFolder, domainsFile, usersFile } from "../../helper/places.ts";
import { type Right, rights } from "../../helper/users.ts";
import { shellWord } from "../../text/shell-words.ts";
import type { Step } from "./plan.ts";

export type UserLine = {
  /** The root of the system's files. */
  root: string;
  uid: number;
  /** The rights that the user has. */
  had: ReadonlySet<Right>;
  /** The rights that the user is to have. */
  wanted: ReadonlySet<Right>;
  /** Whether other users have a line. */
  hasOthers: boolean;
  /** There is no file yet, or one that nobody but root can have written: its other lines stay. */
  isTrusted: boolean;
};

const heading = "# localhostess: users and what they may ask of the helpers";

/** Lines of other users, comments among them, stay as they are. */
export function usersStep(line: UserLine): Step {
  const { root, uid, had, wanted, hasOthers, isTrusted } = line;
  const [folder, file, fresh, domains] = [
    rootFolder,
    usersFile,
    `${usersFile}.new`,
    domainsFile,
  ].map((path) => shellWord(join(root, path)));
  const words = rights.filter((right) => wanted.has(right));
  // 1: nobody else is listed. Where the file cannot be read, others would lose their lines.
  const others = `grep -Ev '^[[:blank:]]*${uid}([[:blank:]#]|$)' ${file}`;
  const isDone = words.length === had.size && words.every((right) => had.has(right));
  return {
    id: "user",
    purpose: `allow user ${uid} to ask for ${words.join(" and ")}`,
    undoing: `no longer allow user ${uid} to ask for ${[...had].join(" and ")}`,
    isDone,
    isThere: had.size > 0,
    commands: [
      `install -d -m 755 -o root -g root ${folder}`,
      `rm -f ${isTrusted ? fresh : `${file} ${fresh}`}`,
      `[ -e ${file} ] || echo ${shellWord(heading)} > ${file}`,
      `{ ${others} || [ $? -eq 1 ]; echo ${shellWord(`${uid} ${words.join(" ")}`)}; } > ${fresh}`,
      `mv -f ${fresh} ${file}`,
    ],
    removal: hasOthers
      ? [`rm -f ${fresh}`, `{ ${others} || [ $? -eq 1 ]; } > ${fresh}`, `mv -f ${fresh} ${file}`]
      : [`rm -f ${file} ${fresh} ${domains}`, `rmdir ${folder} || :`],
  };
}

/** The folder of programs that setup makes, once none of them is there any more. */
export type ProgramFolder = {
  /** Below the root of the system's files. */
  path: string;
  isThere: boolean;
  /** The folder above it was not there before. */
  isAboveOurs: boolean;
};

/** Says in the folder that the one above it was not there before: some systems have it, and keep it. */
export const aboveIsOurs = "made-libexec";

export function folderStep({ path, isThere, isAboveOurs }: ProgramFolder): Step {
  const [folder, above, mark] = [path, dirname(path), join(path, aboveIsOurs)].map(shellWord);
  return {
    id: "folder",
    purpose: `make the folder ${path}`,
    undoing: `remove the folder ${path}`,
    isDone: true,
    isThere,
    commands: [],
    removal: [
      ...(isAboveOurs ? [`rm -f ${mark}`] : []),
      `rmdir ${folder} || :`,
      ...(isAboveOurs ? [`rmdir ${above} || :`] : []),
    ],
  };
}

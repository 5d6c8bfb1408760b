/** A user's block in the hosts file -> the steps that write it and take it away, as lines of root's sh. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostsLock, rootFolder } from "../../helper/places.ts";
import { standingOf } from "../../helper/read-hosts.ts";
import { hostsPath, readHosts } from "../../system/hosts-file.ts";
import { shellWord } from "../../text/shell-words.ts";
import type { Step } from "./plan.ts";

type OfUser = {
  /** The root of the system's files. */
  root: string;
  uid: number;
};

/** The daemon writes the block. What is left of it goes with the right to write it. */
export function blockStep({ root, uid, isThere }: OfUser & { isThere: boolean }): Step {
  return {
    id: "block",
    purpose: "have the daemon keep names in /etc/hosts",
    undoing: `remove the block of user ${uid} from ${join(root, hostsPath)}`,
    isDone: true,
    isThere,
    commands: [],
    removal: editing({ root, uid }, []),
  };
}

/** `names`: ascending, each once. */
export function writingStep({ root, uid, names }: OfUser & { names: readonly string[] }): Step {
  const { kind } = standingOf(names, { root, uid });
  return {
    id: "block",
    purpose: `write ${names.length} names of services into ${join(root, hostsPath)}, as they are now`,
    undoing: `remove the block of user ${uid} from ${join(root, hostsPath)}`,
    isDone: kind === "in step",
    isThere: standingOf([], { root, uid }).kind === "behind",
    commands: editing({ root, uid }, names),
    removal: editing({ root, uid }, []),
  };
}

/**
 * The file is not torn, as somebody has looked: a block that begins also ends. The old one goes, and a new one is put
 * at the end. Each line may be run twice.
 */
function editing({ root, uid }: OfUser, names: readonly string[]): string[] {
  const path = join(root, hostsPath);
  const [file, fresh, lock] = [path, `${path}.localhostess`, join(root, hostsLock)].map(shellWord);
  const [begin, end] = ["BEGIN", "END"].map((its) => `# ${its} localhostess ${uid}`);
  const block = names.flatMap((name) => [`127.0.0.1 ${name}`, `::1 ${name}`]);
  const text = [begin!, ...block, end!].map(shellWord).join(" ");
  // Helpers of other users write at the same time.
  const isLocked = existsSync(join(root, rootFolder));
  const its = readHosts(path, { longest: 16 * 1024 * 1024 });
  const isOpen =
    names.length === 0 && its.kind === "text" && new RegExp(`(?:^|\n)${end}\r?$`).test(its.text);
  // An editor may have put a carriage return behind a marker.
  const lines = `/^${begin}[[:space:]]*$/,/^${end}[[:space:]]*$/d`;
  return [
    ...(isLocked ? [`exec 9>> ${lock}; flock 9`] : []),
    `cp -p ${file} ${fresh}`,
    `sed ${shellWord(lines)} ${file} > ${fresh}`,
    ...(names.length === 0 ? [] : [`printf '%s\\n' ${text} >> ${fresh}`]),
    // The block is the last, without a line end: the text before it had none either.
    ...(isOpen ? [`truncate -s -1 ${fresh}`] : []),
    // In a container the file is a mount, which nothing can be moved to.
    `mv -f ${fresh} ${file} || { cat ${fresh} > ${file}; rm -f ${fresh}; }`,
    ...(isLocked ? ["exec 9>&-"] : []),
  ];
}

/** Guards of names in the hosts file, and of what setup does with root's files -> how each could be lost. */
import type { Fault } from "./fault.ts";

const text = ["test/helper/hosts-text.test.ts"];
const names = ["test/helper/host-names.test.ts"];
const step = ["test/helper/hosts-in-step.test.ts"];
const right = ["test/helper/hosts-right.test.ts"];
const written = ["test/helper/write-hosts.test.ts"];
const daemon = ["test/daemon/names-in-step.test.ts"];
const parts = ["test/cli/setup/parts.test.ts"];

export const hostsBlock: readonly Fault[] = [
  {
    name: "a block that does not end is rewritten to the end of the file",
    file: "src/helper/hosts-text.ts",
    find: "  if (inside !== undefined) {\n    return torn(",
    replace: "  if (inside !== undefined && number < 0) {\n    return torn(",
    tests: text,
  },
  {
    name: "a name that an administrator has given another line is written",
    file: "src/helper/hosts-text.ts",
    find: "const wanted = names.filter((name) => !taken.has(name));",
    replace: "const wanted = names;",
    tests: text,
  },
  {
    name: "names in another user's block keep ours out",
    file: "src/helper/hosts-text.ts",
    find: "if (inside === undefined) for (const name",
    replace: "for (const name",
    tests: text,
  },
  {
    name: "a text without a line end at its end does not come back as it was",
    file: "src/helper/hosts-text.ts",
    find: "else if (block?.hasLineEnd === false) head = head.slice(0, -1);",
    replace: "",
    tests: text,
  },
  {
    name: "a name with an underscore spoils the whole list",
    file: "src/helper/host-names.ts",
    find: "const sound = all.filter(isHostName).sort();",
    replace: "const sound = all.sort();",
    tests: names,
  },
  {
    name: "a service that is stopped keeps its name",
    file: "src/helper/host-names.ts",
    find: 'if (its.state === "stopped" && !its.lazy) return [];',
    replace: "",
    tests: names,
  },
  {
    name: "two calls are under way at once",
    file: "src/helper/step-states.ts",
    find: 'changed: { next: "stale" },',
    replace: 'changed: { next: "writing", action: "write" },',
    tests: step,
  },
  {
    name: "a change during a call is forgotten",
    file: "src/helper/step-states.ts",
    find: 'changed: { next: "stale" },',
    replace: "",
    tests: step,
  },
  {
    name: "a name that goes is taken away at once, and written again when its server is back",
    file: "src/helper/hosts-in-step.ts",
    find: "this.#isMissing() ? gathering : lingering",
    replace: "gathering",
    tests: step,
  },
  {
    name: "a call that fails is made again without a pause",
    file: "src/helper/hosts-in-step.ts",
    find: "this.#rest = Math.min(longestRest, this.#rest * 2);",
    replace: "",
    tests: step,
  },
  {
    name: "a writer that hangs keeps the daemon from ending",
    file: "src/helper/hosts-in-step.ts",
    find: "await Promise.race([gone, late.promise]);",
    replace: "await gone;",
    tests: step,
  },
  {
    name: "a list that others can write is believed",
    file: "src/helper/hosts-right.ts",
    find: " || (its.mode & writableByOthers) !== 0",
    replace: "",
    tests: right,
  },
  {
    name: "a program without its right is asked",
    file: "src/helper/hosts-program.ts",
    find: " || (lstatSync(its.path).mode & setuid) !== 0",
    replace: " || true",
    tests: right,
  },
  {
    name: "a hosts file that is a link is replaced by a file",
    file: "src/helper/write-hosts.ts",
    find: "(await lstat(path)).isSymbolicLink()",
    replace: "(await lstat(path)).isFIFO()",
    tests: written,
  },
  {
    name: "the hosts file is root's alone to read afterwards",
    file: "src/system/replace-file.ts",
    find: "await made.chmod(its.mode & 0o7777);",
    replace: "",
    tests: written,
  },
  {
    name: "a daemon that was replaced writes over the next one's names",
    file: "src/daemon/names-in-step.ts",
    find: "if (!isOurs()) return undefined;",
    replace: "",
    tests: daemon,
    needs: "another user",
  },
  {
    name: "names are written for a user who has not been listed",
    file: "src/daemon/names-in-step.ts",
    find: "if (wanted === undefined && !mayWrite(place)) return undefined;",
    replace: "",
    tests: daemon,
    needs: "another user",
  },
  {
    name: "root installs whatever the user's file has by then",
    file: "src/cli/setup/trust.ts",
    find: '`printf \'%s\\\\n\' ${pemOf(bodyOf(pem)).trim().split("\\n").map(shellWord).join(" ")} > ${fresh}`',
    replace: "`cp ${shellWord(certificatePath)} ${fresh}`",
    tests: parts,
    needs: "another user",
  },
  {
    name: "an authority that may sign for any name is installed for the whole machine",
    file: "src/cli/setup/trust.ts",
    find: "(permitted === undefined || permitted.length === 0)",
    replace: "permitted?.length === 0",
    tests: parts,
    needs: "another user",
  },
  {
    name: "root removes a file that holds something else by then",
    file: "src/cli/setup/trust.ts",
    find: "`! tr -d '\\\\r\\\\n' < ${path} | grep -qF ${shellWord(bodyOf(pem))} || rm -f ${path}`",
    replace: "`rm -f ${path}`",
    tests: parts,
    needs: "another user",
  },
  {
    name: "the program that others need is taken away",
    file: "src/cli/setup/hosts.ts",
    find: 'isShared: place.others.has("hosts"),',
    replace: "isShared: false,",
    tests: parts,
    needs: "another user",
  },
];

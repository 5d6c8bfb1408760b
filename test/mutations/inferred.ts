/** Guards of names that folders give -> how each could be lost. */
import type { Fault } from "./fault.ts";

const inferred = ["test/discovery/inferred.test.ts"];
const table = ["test/discovery/inferred-table.test.ts"];
const folders = ["test/discovery/project-folders.test.ts"];
const state = ["test/discovery/inferred-state.test.ts"];
const forgotten = ["test/discovery/forgotten-folders.test.ts"];
const unusable = ["test/discovery/unusable.test.ts"];

const inference = "src/discovery/inference.ts";
const units = "src/discovery/inferred-units.ts";

export const inferredNames: readonly Fault[] = [
  {
    name: "a folder that gives way to a NAME takes another folder's number",
    file: "src/discovery/inferred.ts",
    find: "!this.#options.kept.isOthers(last, top) && ",
    replace: "",
    tests: inferred,
  },
  {
    name: "a folder takes the name of a server with NAME that starts again",
    file: inference,
    find: " || past.isKept(name, { folder: project.folder, now })",
    replace: "",
    tests: inferred,
  },
  {
    name: "a second server of a kind takes the name of the first, which starts again",
    file: "src/discovery/inferred-twins.ts",
    find: "return before ? 3 : 0;",
    replace: "return 0;",
    tests: inferred,
  },
  {
    name: "an editor's helper and a browser's port for debuggers have a project's name",
    file: inference,
    find: "if (!reading.never) found.set(",
    replace: "found.set(",
    tests: table,
  },
  {
    name: "an editor's helper is listed as a server without a name",
    file: "src/discovery/unusable.ts",
    find: " || isNoServer(process)",
    replace: "",
    tests: unusable,
  },
  {
    name: "a program that was built in a folder is taken for a tool with its name",
    file: "src/discovery/never-named.ts",
    find: "const known = own ? undefined : ",
    replace: "const known = ",
    tests: table,
  },
  {
    name: "a project in a worktree that an editor keeps is taken for the editor",
    file: "src/discovery/never-named.ts",
    find: "(?:-server|-oss|-insiders|-remote)?\\/(?!worktrees\\/)",
    replace: "(?:-server|-oss|-insiders|-remote)?\\/",
    tests: table,
  },
  {
    name: "another user's server has a name of its folder",
    file: inference,
    find: "process.uid !== uid || isUnwanted",
    replace: "isUnwanted",
    tests: inferred,
  },
  {
    name: "NAME=- does not keep a folder's name away",
    file: inference,
    find: " || isUnwanted(process, { scan, ownPid })",
    replace: "",
    tests: inferred,
  },
  {
    name: "a server that a project has started has a name of its folder too",
    file: inference,
    find: "if (started.size > 0 && !ancestry(",
    replace: "if (started.size < 0 && !ancestry(",
    tests: inferred,
  },
  {
    name: "a port that a project's service listens on has a name of its folder too",
    file: inference,
    find: "if (ports.has(port) || pids.some(",
    replace: "if (pids.some(",
    tests: inferred,
  },
  {
    name: "a folder that is forgotten has a name all the same",
    file: inference,
    find: " || forgotten?.has(project.folder)",
    replace: "",
    tests: inferred,
  },
  {
    name: "an inferred name takes one that a server has by NAME",
    file: inference,
    find: "given.has(name) || names.has(name)",
    replace: "names.has(name)",
    tests: inferred,
  },
  {
    name: "an inferred name takes one that is claimed",
    file: inference,
    find: " || names.has(name)",
    replace: "",
    tests: inferred,
  },
  {
    name: "an inferred name takes that of a project's service",
    file: inference,
    find: " || declared.has(name)) return true;",
    replace: ") return true;",
    tests: inferred,
  },
  {
    name: "an inferred name is below a project that is in another folder",
    file: inference,
    find: "if (!isOther) return true;",
    replace: "if (isOther) return true;",
    tests: inferred,
  },
  {
    name: "two servers of one folder have one name",
    file: "src/discovery/inferred.ts",
    find: "!this.#used.has(whole) && ",
    replace: "",
    tests: ["test/discovery/inferred-clashes.test.ts"],
  },
  {
    name: "a folder's name changes with the order in which servers start",
    file: "src/discovery/kept-names.ts",
    find: "const label = before ?? this.#free(asked);",
    replace: "const label = this.#free(asked);",
    tests: inferred,
  },
  {
    name: "a folder that is gone keeps its name from others",
    file: "src/discovery/kept-names.ts",
    find: "if (this.#options.isThere(entry.folder)) return false;",
    replace: "return false;",
    tests: inferred,
  },
  {
    name: "the list of folders' names grows without end",
    file: "src/discovery/kept-names.ts",
    find: "return all.slice(-mostKept).map(",
    replace: "return all.map(",
    tests: inferred,
  },
  {
    name: "a label of the file of names is believed as it is",
    file: "src/discovery/kept-names.ts",
    find: "label.test(text as string) &&",
    replace: "",
    tests: state,
  },
  {
    name: "a file of folders' names that others may write is believed",
    file: "src/discovery/inferred-state.ts",
    find: "forbidden: 0o022",
    replace: "forbidden: 0",
    tests: state,
  },
  {
    name: "a broken file of forgotten folders forgets nothing any more",
    file: "src/discovery/forgotten-folders.ts",
    find: ": its;\n      },\n      onBroken: (why) => note(`${why}; no other",
    replace:
      ': (note(its.why), { kind: "value" as const, value: nobody });\n      },\n      onBroken: (why) => note(`${why}; no other',
    tests: forgotten,
  },
  {
    name: "the home folder is a project",
    file: "src/discovery/project-chain.ts",
    find: "return isHome || tops.has(path)",
    replace: "return tops.has(path)",
    tests: [...folders, ...table],
  },
  {
    name: "folders in which programs keep their files are projects",
    file: "src/discovery/project-folders.ts",
    find: "return isProgramsOwn(cwd, homes) ? [] : chain;",
    replace: "return chain;",
    tests: folders,
  },
  {
    name: "a folder of a container is taken for this machine's of the same path",
    file: "src/discovery/project-folders.ts",
    find: "return its === undefined || its === identityOf(cwd);",
    replace: "return true;",
    tests: folders,
  },
  {
    name: "a folder of a network's disk that does not answer keeps the daemon waiting",
    file: "src/discovery/project-folders.ts",
    find: "return mounts.isDistant(path);",
    replace: "return false;",
    tests: folders,
  },
  {
    name: "a manifest of any size is read",
    file: "src/discovery/project-folders.ts",
    find: "const longest = 1024 * 1024;",
    replace: "const longest = 1024 * 1024 * 1024;",
    tests: folders,
  },
  {
    name: "a changed manifest is not read again",
    file: "src/discovery/project-folders.ts",
    find: "return paths.map(fileFingerprint).join",
    replace: "return paths.slice(0, 1).map(fileFingerprint).join",
    tests: folders,
  },
  {
    name: "a debugger's port is a server",
    file: units,
    find: "(isDebugPort(port) && !asked.has(port))",
    replace: "port < 0",
    tests: table,
  },
  {
    name: "a port that the system has assigned to a helper is a server",
    file: units,
    find: "if (port >= firstAssigned && !members.some(isTold)) return undefined;",
    replace: "",
    tests: table,
  },
  {
    name: "a store is asked by HTTP",
    file: "src/discovery/inferred.ts",
    find: "protocol === undefined",
    replace: "protocol !== null",
    tests: table,
  },
];

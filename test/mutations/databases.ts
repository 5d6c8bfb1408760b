/** Guards of the data of managed stores -> how each could be lost. */
import type { Fault } from "./fault.ts";

const places = ["test/stores/store-places.test.ts"];
const work = ["test/supervisor/store-work.test.ts"];
const suspended = ["test/supervisor/suspended.test.ts"];

export const databases: readonly Fault[] = [
  {
    name: "another project at the same path gets the data of the former",
    file: "src/stores/owners.ts",
    find: "return moved ?? there.find((its) => its.project === project);",
    replace: "return moved ?? there[0];",
    tests: places,
  },
  {
    name: "a project that was moved begins with no data",
    file: "src/stores/owners.ts",
    find: "isSameFolder(its.identity, now) && !isSameFolder(folderIdentity(its.directory), now),",
    replace: "false,",
    tests: places,
  },
  {
    name: "the data of a worktree that was only forgotten is removed after a week",
    file: "src/stores/store-places.ts",
    find: " && !isFolderOf(owner)",
    replace: "",
    tests: places,
  },
  {
    name: "dependents get the password of a place that is no more",
    file: "src/stores/store-places.ts",
    find: "if (existsSync(known.password)) return known;",
    replace: "return known;",
    tests: places,
  },
  {
    name: "beside a book that cannot be read, data begins anew",
    file: "src/stores/owners.ts",
    find: "if (why !== undefined) throw",
    replace: "if (why === null) throw",
    tests: places,
  },
  {
    name: "what is left between the two steps of an exchange is no data any more",
    file: "src/stores/exchange.ts",
    find: "if (old !== undefined) renameSync(old.path, folder);",
    replace: "",
    tests: places,
  },
  {
    name: "what another process is about to put in a place is removed",
    file: "src/stores/exchange.ts",
    find: "if (isAlive(pid)) continue;",
    replace: "",
    tests: places,
  },
  {
    name: "the data of a main checkout is removed after a while",
    file: "src/stores/store-places.ts",
    find: "if (owner.worktree && isOld && ",
    replace: "if (isOld && ",
    tests: places,
  },
  {
    name: "a store starts while its data is copied",
    file: "src/supervisor/project/wishes.ts",
    find: `    stop: { next: "barred", action: "end" },`,
    replace: `    up: { next: "due" }, stop: { next: "barred", action: "end" },`,
    tests: ["test/supervisor/wishes.test.ts"],
  },
  {
    name: "data is copied before its store has ended",
    file: "src/supervisor/project/project.ts",
    find: "await this.#restarts.end([name]);\n    } while",
    replace: "void this.#restarts.end([name]);\n    } while",
    tests: suspended,
  },
  {
    name: "a project whose data is in other hands is handed to the next daemon",
    file: "src/supervisor/project/project.ts",
    find: `|| isSuspended({ wish })) return false;`,
    replace: ") return false;",
    tests: suspended,
  },
  {
    name: "two commands use the same data at once",
    file: "src/supervisor/store-work.ts",
    find: "if (busy !== undefined)",
    replace: "if (busy === null)",
    tests: work,
  },
  {
    name: "a fork replaces data that nobody was asked about",
    file: "src/supervisor/store-work.ts",
    find: "if (existsSync(to.place.data) && !replaces) {",
    replace: "if (!replaces && to === undefined) {",
    tests: work,
  },
  {
    name: "a copy that was given up takes the place of data",
    file: "src/supervisor/store-work.ts",
    find: "if (!isWhole) throw givenUp();",
    replace: "",
    tests: work,
    only: "asker who is gone",
  },
  {
    name: "the data of a server that somebody else has started is removed",
    file: "src/supervisor/store-work.ts",
    find: "if (user !== undefined) {",
    replace: "if (user === null) {",
    tests: work,
  },
  {
    name: "a dump of another version takes the place of data",
    file: "src/supervisor/staged-data.ts",
    find: "if (has !== wants) {",
    replace: "if (has === undefined) {",
    tests: work,
  },
  {
    name: "any folder is put in the place of data",
    file: "src/supervisor/store-work.ts",
    find: "if (!isNewBeside(place.folder, folder)) {",
    replace: "if (folder === undefined) {",
    tests: work,
  },
  {
    name: "a link to another's data is copied",
    file: "src/system/copy-folder.ts",
    find: `return isAbsolute(leads) || leads.split("/").includes("..");`,
    replace: "return false;",
    tests: ["test/system/copy-folder.test.ts"],
  },
  {
    name: "a database is reset where nobody was asked",
    file: "src/cli/projects/db-store.ts",
    find: "if (answer === undefined) {",
    replace: "if (answer === undefined) return;\n  if (answer === null) {",
    tests: ["test/cli/agreed.test.ts"],
  },
];

/** Faults in how files of a folder are given out, and in a site's builds. */
import type { Fault } from "./fault.ts";

export const sites: readonly Fault[] = [
  {
    name: "a link leads out of the folder of a site",
    file: "src/system/folder-door.ts",
    find: `  if (path === folder) return [];
  const inside`,
    replace: `  return [];
  const inside`,
    tests: ["test/system/folder-door.test.ts", "test/sites/site.test.ts"],
  },
  {
    name: "a folder beside the site, whose name begins like its own, is taken for a part of it",
    file: "src/system/folder-door.ts",
    find: 'const inside = folder === "/" ? "/" : `${folder}/`;',
    replace: "const inside = folder;",
    tests: ["test/system/folder-door.test.ts"],
  },
  {
    name: "a path is judged, and another file opened",
    file: "src/system/folder-door.ts",
    find: "    const real = realOf(descriptor, path);",
    replace: "    const real = realpathSync(path);",
    tests: ["test/system/folder-door.test.ts"],
    only: "while a folder becomes a link",
  },
  {
    name: "a pipe in the folder of a site is opened",
    file: "src/system/folder-door.ts",
    find: '      if (!found.isFile() && !found.isDirectory()) return { kind: "refused", why: notAFile };\n',
    replace: "",
    tests: ["test/system/folder-door.test.ts"],
  },
  {
    name: "a hidden file is given out by its name",
    file: "src/sites/site-path.ts",
    find: 'if (name === "" || isHidden(name) || /[/\\\\]/.test(name)) return absent;',
    replace: 'if (name === "" || name === ".." || /[/\\\\]/.test(name)) return absent;',
    tests: ["test/sites/site-path.test.ts"],
  },
  {
    name: "a percent-encoded slash separates names",
    file: "src/sites/site-path.ts",
    find: "isHidden(name) || /[/\\\\]/.test(name)",
    replace: "isHidden(name)",
    tests: ["test/sites/site-path.test.ts"],
  },
  {
    name: "If-Modified-Since beats If-None-Match",
    file: "src/sites/conditions.ts",
    find: `  if (noneMatch !== undefined) {
    return`,
    replace: `  if (noneMatch !== undefined && field("if-modified-since") === undefined) {
    return`,
    tests: ["test/sites/conditions.test.ts"],
  },
  {
    name: "a part of another version is sent",
    file: "src/sites/representation.ts",
    find: `|| !isSameVersion(request.field("if-range"), version)`,
    replace: "",
    tests: ["test/sites/site.test.ts"],
    only: "parts of a file",
  },
  {
    name: "a compressed neighbour has the tag of the file",
    file: "src/sites/site.ts",
    find: "    return await represented(best.file, { request, form });",
    replace: `    Object.assign(best.file.facts, { identity: file.facts.identity });
    return await represented(best.file, { request, form });`,
    tests: ["test/sites/site.test.ts"],
    only: "compressed neighbour",
  },
  {
    name: "a script that is missing is answered with the page",
    file: "src/sites/site.ts",
    find: ' && !isAsset(names.at(-1) ?? "")',
    replace: "",
    tests: ["test/sites/site.test.ts"],
    only: "with a fallback",
  },
  {
    name: "a file that became shorter is sent as if it were whole",
    file: "src/sites/site-connection.ts",
    find: `    if (read === 0) throw new Error("a file has become shorter while it was sent");`,
    replace: "    if (read === 0) return;",
    tests: ["test/sites/site.test.ts"],
    only: "becomes shorter",
  },
  {
    name: "a file is read faster than its reader takes it",
    file: "src/sites/site-connection.ts",
    find: "    await this.#room.promise;",
    replace: "",
    tests: ["test/sites/site-connection.test.ts"],
  },
  {
    name: "a page of another site asks at a site's port by its own name",
    file: "src/sites/site-server.ts",
    find: "this.#options.isOurs(request.host) ?",
    replace: "request.host !== undefined ?",
    tests: ["test/sites/site.test.ts"],
    only: "what is no HTTP",
  },
  {
    name: "two builds of a site run at the same time",
    file: "src/supervisor/service/site-states.ts",
    find: `    renew: { next: "again" },`,
    replace: `    renew: { next: "rebuilding", action: "build" },`,
    tests: ["test/supervisor/site-states.test.ts"],
  },
  {
    name: "a site's build starts again because of what it wrote",
    file: "src/manifest/read/service.ts",
    find: `if (own?.kind !== "site" || patterns.length === 0) return patterns;`,
    replace: "if (patterns.length >= 0) return patterns;",
    tests: ["test/manifest/types/site.test.ts"],
  },
  {
    name: "a site with a port is dialled there, where another program may be in its place",
    file: "src/routes/decide.ts",
    find: "  if (routeName !== undefined && socket !== undefined) {",
    replace: "  if (routeName !== undefined && socket === routeName) {",
    tests: ["test/routes/decide.test.ts"],
    only: "a site that this daemon",
  },
  {
    name: "the next daemon of a killed one does not know of a site's build",
    file: "src/supervisor/service/build-task.ts",
    find: "        options.onMembers();\n",
    replace: "",
    tests: ["test/supervisor/site-lifecycle.test.ts"],
  },
  {
    name: "a site that another daemon serves looks as if it had been restarted",
    file: "src/supervisor/service/site-lifecycle.ts",
    find: "    this.#startedAt = its.served?.startedAt ?? this.#startedAt;\n",
    replace: "    this.#startedAt = this.#startedAt! + 1;\n",
    tests: ["test/supervisor/site-lifecycle.test.ts"],
    only: "the next daemon serves",
  },
];

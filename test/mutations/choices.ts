/** One origin for several checkouts -> how a request could get to another one, or a stranger's page could choose. */
import type { Fault } from "./fault.ts";

const choices = "test/proxy/choices.test.ts";
const page = "test/proxy/choice-page.test.ts";
const origins = "test/routes/origins.test.ts";
const kept = "test/discovery/kept-choices.test.ts";

export const choosing: readonly Fault[] = [
  {
    name: "another checkout answers where the chosen one has no server",
    file: "src/routes/decide.ts",
    find: ': { kind: "unchosen", name: host.name, chosen };',
    replace: ": decideName(host.name, table, how);",
    tests: [choices],
  },
  {
    name: "the choice of the request before holds for the next one on its connection",
    file: "src/proxy/request/destination.ts",
    find: "    known.origin === undefined &&\n",
    replace: "",
    tests: [choices],
  },
  {
    name: "requests of several checkouts share what was found for one",
    file: "src/proxy/request/destination.ts",
    find: "        known.use === facts.use &&\n",
    replace: "",
    tests: [choices],
  },
  {
    name: "a cookie inside a browser's tunnel counts only where the guard is on",
    file: "src/proxy/client/serving.ts",
    find: 'settings.guard === "off" && origin === undefined;',
    replace: 'settings.guard === "off";',
    tests: [choices],
  },
  {
    name: "guard = strict refuses pages of the plain names that show the same project",
    file: "src/proxy/request/guard.ts",
    find: "if (isOfShown(name, facts)) return true;",
    replace: "",
    tests: [choices],
  },
  {
    name: "guard = strict takes every page for one of the project that is shown",
    file: "src/proxy/request/guard.ts",
    find: "return isUnder(name, plain) && ",
    replace: "return ",
    tests: [choices],
  },
  {
    name: "a server under a plain name loses its requests to the worktree that is shown",
    file: "src/routes/origins.ts",
    find: "if (dot === -1 || held.has(rest)) return undefined;",
    replace: "if (dot === -1) return undefined;",
    tests: [choices],
  },
  {
    name: "a server sees the cookie of the choice",
    file: "src/proxy/request/destination.ts",
    find: "hidesUse: destination.origin !== undefined,",
    replace: "hidesUse: false,",
    tests: [choices],
  },
  {
    name: "a worktree's own name shows another one",
    file: "src/routes/origins.ts",
    find: "return isLabelOf(origin, before) ? undefined : origin;",
    replace: "return origin;",
    tests: [origins],
  },
  {
    name: "another folder's server loses its name to a worktree",
    file: "src/routes/origins.ts",
    find: "if (holders.has(name) && holders.get(name) !== repository) continue;",
    replace: "",
    tests: [origins],
  },
  {
    name: "a choice is lost where another branch is checked out in its worktree",
    file: "src/routes/origins.ts",
    find: "?.[0] ?? label;",
    replace: "?.[1].name ?? label;",
    tests: [origins],
  },
  {
    name: "a choice outlives its worktree",
    file: "src/discovery/kept-choices.ts",
    find: "else if (existsSync(root)) holds.push(choice);",
    replace: 'else if (root !== "") holds.push(choice);',
    tests: [kept],
  },
  {
    name: "of two choices at once, one is lost",
    file: "src/discovery/kept-choices.ts",
    find: "const done = await changeAlone({ path }, async () => {",
    replace:
      'const done = await (async (_: object, go: () => Promise<void>) => (await go(), { kind: "changed" as string }))({}, async () => {',
    tests: [kept],
  },
  {
    name: "a form of another site chooses",
    file: "src/proxy/request/choice.ts",
    find: 'site === "same-origin" || (site === undefined && origins.length > 0)',
    replace: "true",
    tests: [page],
  },
  {
    name: "an image chooses",
    file: "src/proxy/request/choice.ts",
    find: 'mode === "navigate" && dest === "document"',
    replace: "true",
    tests: [page],
  },
  {
    name: "a link of another site chooses",
    file: "src/proxy/request/choice.ts",
    find: 'if (site !== "none" && site !== "same-origin") return false;',
    replace: "",
    tests: [page],
  },
  {
    name: "a page that nobody has opened yet chooses",
    file: "src/proxy/request/choice.ts",
    find: 'if (method === "other" || purpose !== undefined) return false;',
    replace: 'if (method === "other") return false;',
    tests: [page],
  },
  {
    name: "the way back leads to another site",
    file: "src/proxy/request/choice.ts",
    find: "found === null || found.origin !== new URL(url).origin",
    replace: "found === null",
    tests: [page],
  },
];

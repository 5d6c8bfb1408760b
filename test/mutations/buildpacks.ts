/** Faults in how buildpacks are found, ordered and asked. */
import type { Fault } from "./fault.ts";

const folder = "src/build/buildpacks";
const detecting = ["test/build/buildpacks/detect.test.ts"];
const finding = ["test/build/buildpacks/find-buildpacks.test.ts"];

export const buildpacks: readonly Fault[] = [
  {
    name: "a buildpack that is asked and hangs is waited for",
    file: `${folder}/run-script.ts`,
    find: 'setTimeout(() => cutOff("late"), limit)',
    replace: "setTimeout(() => {}, limit)",
    tests: detecting,
  },
  {
    name: "processes that have left a buildpack's session outlive it",
    file: "src/system/started-since.ts",
    find: "its.session === leader || hasMark(pid, mark)",
    replace: "its.session === leader",
    tests: detecting,
  },
  {
    name: "a buildpack's process in the background outlives it",
    file: `${folder}/run-script.ts`,
    find: "    killAll();\n    await within",
    replace: "    await within",
    tests: detecting,
  },
  {
    name: "clear-env changes nothing",
    file: `${folder}/detect.ts`,
    find: "clearEnv ? own : withVariables(own, variables)",
    replace: "withVariables(own, variables)",
    tests: detecting,
  },
  {
    name: "secrets of the shell reach buildpacks",
    file: `${folder}/environment.ts`,
    find: ".filter(([name]) => inherited.includes(name))",
    replace: "",
    tests: detecting,
  },
  {
    name: "an error of bin/detect is a pass",
    file: `${folder}/detect.ts`,
    find: 'end.kind === "ended" && end.code === 0',
    replace: 'end.kind === "ended" && end.code !== 100',
    tests: detecting,
  },
  {
    name: "targets are not looked at",
    file: `${folder}/detect.ts`,
    find: "if (!isFor(buildpack, machine)) {",
    replace: "if (false) {",
    tests: detecting,
  },
  {
    name: "a required buildpack that lacks another one is left out, and the group passes",
    file: `${folder}/plan.ts`,
    find: "if (!unmet.member.optional) return",
    replace: "if (false) return",
    tests: detecting,
  },
  {
    name: "a buildpack may require what a later one provides",
    file: `${folder}/plan.ts`,
    find: "members.slice(0, index + 1)",
    replace: "members",
    tests: detecting,
  },
  {
    name: "combinations of build plans are tried without end",
    file: `${folder}/plan.ts`,
    find: "if (++trials > mostTrials)",
    replace: "if (false)",
    tests: detecting,
  },
  {
    name: "composites in a cycle are expanded without end",
    file: `${folder}/order.ts`,
    find: "if (within.includes(buildpack)) {",
    replace: "if (false) {",
    tests: detecting,
  },
  {
    name: "an optional composite that fails ends its group",
    file: `${folder}/order.ts`,
    find: "entry.optional ? [...choices, []] : choices",
    replace: "choices",
    tests: detecting,
  },
  {
    name: "buildpacks are fetched without encryption",
    file: `${folder}/reference.ts`,
    find: 'url.protocol === "http:" && !isLoopback(url.hostname)',
    replace: "false",
    tests: finding,
  },
  {
    name: "a password in an address is passed on to git",
    file: `${folder}/reference.ts`,
    find: 'url.username !== "" || url.password !== ""',
    replace: "false",
    tests: finding,
  },
  {
    name: "a tag may be an option of git",
    file: `${folder}/reference.ts`,
    find: 'ref !== "" && !refForm.test(ref)',
    replace: "false",
    tests: finding,
  },
  {
    name: "a redirect may lead away from HTTPS",
    file: `${folder}/unpacked.ts`,
    find: "target === null || target.protocol !== new URL(url).protocol",
    replace: "target === null",
    tests: finding,
  },
  {
    name: "an archive with another hash is taken",
    file: `${folder}/unpacked.ts`,
    find: "sha256 !== undefined && hash !== sha256",
    replace: "false",
    tests: finding,
  },
  {
    name: "a file of an archive may be written through a link",
    file: "src/wire/tar.ts",
    find: "if (paths.has(path.slice(0, end)))",
    replace: "if (false)",
    tests: ["test/wire/tar.test.ts"],
  },
  {
    name: "include and exclude of a project.toml may stand side by side",
    file: "src/manifest/project-descriptor.ts",
    find: "include !== undefined && exclude !== undefined",
    replace: "false",
    tests: ["test/manifest/project-descriptor.test.ts"],
  },
  {
    name: "an exception takes back what is in a folder that is left out",
    file: "src/manifest/path-rules.ts",
    find: "if (hit(path.slice(0, end), true)) return true;",
    replace: "",
    tests: ["test/manifest/path-rules.test.ts"],
  },
];

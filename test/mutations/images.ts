/** Images that are built and run once -> how a build could send too much, or a run leave something behind. */
import type { Fault } from "./fault.ts";

const context = "test/containers/build/build-context.test.ts";
const ignored = "test/containers/build/ignored.test.ts";
const output = "test/containers/build/build-output.test.ts";
const e2e = "test/e2e/container-images-docker.test.ts";

export const images: readonly Fault[] = [
  {
    name: "a daemon that is replaced ends what people run in containers",
    file: "src/containers/runs/one-offs.ts",
    find: "        if (isLeft) return;",
    replace: "",
    tests: ["test/containers/runs/one-offs.test.ts"],
  },
  {
    name: "a daemon that hands over ends what people run in containers",
    file: "src/daemon/handing-over.ts",
    find: "      oneOffs.leave();",
    replace: "",
    tests: ["test/daemon/handover.test.ts"],
    only: "a container that a client waits for",
  },
  {
    name: "a slow reader of a container that has ended loses its last words",
    file: "src/containers/runs/one-off.ts",
    find: "(this.#isPaused || clock.now() - this.#heardAt < quiet)",
    replace: "clock.now() - this.#heardAt < quiet",
    tests: ["test/containers/runs/one-off.test.ts"],
  },
  {
    name: "what is piped in is read as fast as it comes, whoever takes it",
    file: "src/system/own-input.ts",
    find: "if (onBytes(its.value)) continue;",
    replace: "if (onBytes(its.value) || true) continue;",
    tests: ["test/system/own-input.test.ts"],
  },
  {
    name: "the repository's history is sent with every build",
    file: "src/containers/build/build-context.ts",
    find: "(!read.wantsHistory && isHistory(path))",
    replace: "false",
    tests: [context],
  },
  {
    name: "a Dockerfile that .dockerignore names is not sent",
    file: "src/containers/build/build-context.ts",
    find: "if (always.has(path)) return false;",
    replace: "",
    tests: [context],
  },
  {
    name: "a file that shrinks while it is sent shifts everything behind it",
    file: "src/containers/build/build-context.ts",
    find: "for (; left > 0; left -= piece)",
    replace: "for (; left > piece; left -= piece)",
    tests: [context],
  },
  {
    name: "a link is sent as the file that it leads to",
    file: "src/containers/build/build-context.ts",
    find: "import { lstat, readdir,",
    replace: "import { stat as lstat, readdir,",
    tests: [context],
  },
  {
    name: "an exception of .dockerignore counts wherever it stands",
    file: "src/containers/build/ignored.ts",
    find: "isException === isOut && matches(part)",
    replace: "matches(part)",
    tests: [ignored],
  },
  {
    name: "a build's line without an end fills the memory",
    file: "src/containers/build/build-output.ts",
    find: 'if (this.#line.length > longestNews) this.#line = "";',
    replace: "",
    tests: [output],
  },
  {
    name: "containers are known by a label that images give them",
    file: "src/containers/build/image-tag.ts",
    find: '"localhostess.built"',
    replace: '"localhostess.service"',
    tests: ["test/containers/build/image-tag.test.ts"],
  },
  {
    name: "a connection that is left tells of an end",
    file: "src/containers/runs/attachment.ts",
    find: 'if (this.#state !== "attached") return;\n    this.end();',
    replace: "this.end();",
    tests: ["test/containers/runs/attachment.test.ts"],
  },
  {
    name: "the container of a killed command stays until the next one",
    file: "src/cli/projects/run-image.ts",
    find: "const unguard = await guarded({ socket: engine.socket, run }, settings);",
    replace: "const unguard = () => {};",
    tests: [e2e],
    only: "a killed client leaves nothing",
  },
  {
    name: "the container of a killed command stays for ever",
    file: "src/cli/projects/run-image.ts",
    find: "  await removeAbandoned({ socket: engine.socket, clock: systemClock }, owner);\n",
    replace: "",
    tests: [e2e],
    only: "a killed client leaves nothing",
  },
  {
    name: "a command that has ended leaves its container",
    file: "src/containers/runs/one-off.ts",
    find: "const removed = await this.#removed();",
    replace: "const removed: string | undefined = undefined;",
    tests: [e2e],
    only: "output is kept apart",
  },
  {
    name: "a published port is everybody's in the network",
    file: "src/containers/runs/one-off.ts",
    find: '{ HostIp: "127.0.0.1", HostPort',
    replace: '{ HostIp: "0.0.0.0", HostPort',
    tests: [e2e],
    only: "a published port",
  },
  {
    name: "a mistyped service runs a stranger's image",
    file: "src/cli/projects/run.ts",
    find: "if (/did you mean/.test(mistake.message) ||",
    replace: "if (mistake.message === service ||",
    tests: [e2e],
    only: "a word that names no service",
  },
  {
    name: "the words of an image's command are options of ours",
    file: "src/cli/command-apart.ts",
    find: 'if (verbs === 0 || argv.includes("--")) return argv;',
    replace: "if (verbs >= 0) return argv;",
    tests: ["test/cli/command-apart.test.ts"],
  },
  {
    name: "whoever reads slowly makes us keep everything",
    file: "src/system/patient-writer.ts",
    find: "return this.#waiting <= enough;",
    replace: "return true;",
    tests: ["test/system/patient-writer.test.ts"],
  },
];

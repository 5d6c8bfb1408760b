/** Containers that we run -> how one could be lost, be somebody else's, be seen by others, or be ready too early. */
import type { Fault } from "./fault.ts";

const run = "test/containers/runs/container-run.test.ts";
const body = "test/containers/runs/container-body.test.ts";
const calls = "test/containers/runs/engine-calls.test.ts";
const left = "test/containers/runs/left-containers.test.ts";
const life = "test/supervisor/container-life.test.ts";
const states = "test/containers/runs/run-states.test.ts";

export const containerRuns: readonly Fault[] = [
  {
    name: "an engine's own filter is relied on, so that another owner's container is removed",
    file: "src/containers/runs/container-calls.ts",
    find: ".filter((its) => Object.entries(labels).every(([key, value]) => its.labels[key] === value));",
    replace: ";",
    tests: [run, left],
  },
  {
    name: "a container's port is published to the whole network",
    file: "src/containers/runs/container-body.ts",
    find: 'HostIp: "127.0.0.1"',
    replace: 'HostIp: "0.0.0.0"',
    tests: [body],
  },
  {
    name: "a volume is shared by all checkouts",
    file: "src/containers/runs/container-body.ts",
    find: "return `${prefixOf(project)}-${hashOf(labels)}-${source}`;",
    replace: "return `${prefixOf(project)}-${labels.directory.length > 0}-${source}`;",
    tests: [body],
  },
  {
    name: "a daemon in a sandbox shares its volumes with the daily one",
    file: "src/containers/runs/container-body.ts",
    find: "const text = `${owner} ${directory}`;",
    replace: "const text = `${owner === directory} ${directory}`;",
    tests: [body],
  },
  {
    name: "a container that is stopped while its engine makes it is left",
    file: "src/containers/runs/container-run.ts",
    find: "await this.#making;",
    replace: "",
    tests: [run],
  },
  {
    name: "the last words of a container are lost",
    file: "src/containers/runs/container-run.ts",
    find: "await this.#output?.drained();",
    replace: "",
    tests: [run],
  },
  {
    name: "a container whose engine starts it without an answer is not followed",
    file: "src/containers/runs/container-run.ts",
    find: 'if (started.kind === "refused" || started.kind === "absent") this.#output.cancel();',
    replace: "this.#output.cancel();",
    tests: [run],
  },
  {
    name: "a container that was not started is left",
    file: "src/containers/runs/run-states.ts",
    find: '    again: { next: "clearing", action: "clear" },\n    failed: remove,',
    replace: '    again: { next: "clearing", action: "clear" },\n    failed: end,',
    tests: [states, run],
  },
  {
    name: "an engine may take for ever",
    file: "src/containers/runs/engine-calls.ts",
    find: "  const cancel = clock.after(deadline, () => {\n    late = true;\n    abort.abort();\n  });\n  const given",
    replace:
      "  const cancel = clock.after(deadline, () => {\n    late = true;\n  });\n  const given",
    tests: [calls],
  },
  {
    name: "bytes that are no frames are taken for a container's output",
    file: "src/wire/container-frames.ts",
    find: "if (stream === undefined || rest[0] !== 0 || rest[1] !== 0 || rest[2] !== 0) {",
    replace: "if (stream === undefined) {",
    tests: ["test/wire/container-frames.test.ts"],
  },
  {
    name: "the container of a run that goes on is removed",
    file: "src/containers/runs/left-containers.ts",
    find: "!goesOn().has(run)",
    replace: "goesOn() !== undefined",
    tests: [left],
  },
  {
    name: "a container that a killed client has left goes on",
    file: "src/supervisor/service/lifecycle.ts",
    find: "if (life.exit === undefined || life.exit.code === null) left ??= await this.#options.tidy?.();",
    replace: "",
    tests: [life],
  },
  {
    name: "a port that a former container holds keeps its service from starting",
    file: "src/supervisor/service/lifecycle.ts",
    find: "await this.#freePort();",
    replace: "",
    tests: [life],
  },
  {
    name: "a container is ready as soon as its engine's relay listens",
    file: "src/supervisor/service/readiness.ts",
    find: '} else if (spec.own?.kind === "container") {',
    replace: '} else if (spec.own?.kind === "container" && spec.name === "") {',
    tests: [life],
  },
  {
    name: "a relay that closes each connection is taken for the program inside",
    file: "src/containers/runs/knock-port.ts",
    find: 'socket.on("end", () => settle({ kind: "closed", why: "nothing inside listens on its port" }));',
    replace: 'socket.on("end", () => settle({ kind: "answers" }));',
    tests: ["test/containers/runs/knock-port.test.ts"],
  },
  {
    name: "the variables of a person's shell are the container's",
    file: "src/programs/run-container.ts",
    find: "[...order.variables, ...own].filter(",
    replace: "[...order.variables, ...own, ...Object.keys(env)].filter(",
    tests: ["test/programs/run-container.test.ts"],
  },
  {
    name: "a name without a tag pulls all tags of an image",
    file: "src/containers/runs/pull-image.ts",
    find: "`${image}:latest`",
    replace: "image",
    tests: ["test/containers/runs/pull-image.test.ts"],
  },
  {
    name: "a pull that failed is taken for done",
    file: "src/containers/runs/pull-progress.ts",
    find: "if (failure !== undefined) this.failure =",
    replace: "if (failure === null) this.failure =",
    tests: ["test/containers/runs/pull-image.test.ts"],
  },
  {
    name: "a project's file says which engine is asked for its containers",
    file: "src/programs/container-image.ts",
    find: ".filter(([name]) => !variables.includes(name))",
    replace: ".filter(([name]) => name !== String(variables))",
    tests: ["test/programs/run-container.test.ts"],
  },
  {
    name: "an image that is there is pulled again at each start",
    file: "src/containers/runs/image-for.ts",
    find: 'if (found.kind === "image" && pull !== "always") return found;',
    replace: "",
    tests: [run],
  },
];

/** Plans that are wrong in one way each, or in many, and the sentences that they get. */
import { expect, test } from "bun:test";
import { readPlan } from "../../src/plugins/read-plan.ts";
import { validatePlan } from "../../src/plugins/validate-plan.ts";
import {
  declared,
  file,
  get,
  image,
  literal,
  plan,
  port,
  service,
  template,
  text,
  unsigned,
  web,
} from "./plans.ts";

const options = {
  granted: ["oci-pull", "render-template", "write-file"] as const,
  service: "cache",
  taken: ["api", "db"],
};

function mistakesOf(value: unknown): readonly string[] {
  const read = readPlan(value);
  return read.kind === "mistakes" ? read.mistakes : validatePlan(read.plan, options).mistakes;
}

const running = { command: text("bun dev") };
const pulls = { requested: ["oci-pull"] };
const writes = { requested: ["write-file"] };
const renders = { requested: ["render-template"] };
const long = (size: number) => "x".repeat(size);
const step = (id: unknown, needs: unknown, op: unknown) => ({ id, needs, op });

type Bad = readonly [what: string, value: unknown, mistakes: readonly string[]];

const bad: readonly Bad[] = [
  // Its shape.
  [
    "nothing at all",
    undefined,
    [
      "irVersion: expected a number, got nothing",
      "requestedCapabilities: expected a list, got nothing",
      "steps: expected a list, got nothing",
    ],
  ],
  [
    "a text",
    "services",
    [
      "irVersion: expected a number, got nothing",
      "requestedCapabilities: expected a list, got nothing",
      "steps: expected a list, got nothing",
    ],
  ],
  [
    "steps that are no list",
    { irVersion: 1, requestedCapabilities: [], steps: {} },
    ["steps: expected a list, got {}"],
  ],
  [
    "a version that is a text",
    { irVersion: "1", requestedCapabilities: [], steps: [web] },
    ['irVersion: expected a number, got "1"'],
  ],
  [
    "a step without an id",
    plan([step(undefined, [], web.op)]),
    ["steps[0].id: expected a text, got nothing"],
  ],
  [
    "needs that are no texts",
    plan([step("web", [3], web.op)]),
    ["steps[0].needs[0]: expected a text, got 3"],
  ],
  [
    "an unknown operation",
    plan([step("web", [], { tag: "exec", val: {} })]),
    ['steps[0].op: expected an operation, got "exec"'],
  ],
  [
    "a service without a name",
    plan([step("web", [], declared({ runtime: "exec", settings: [] }))]),
    ["steps[0].op.name: expected a text, got nothing"],
  ],
  [
    "a setting that is no pair",
    plan([step("web", [], declared({ name: "web", runtime: "exec", settings: [["port"]] }))]),
    ['steps[0].op.settings[0]: expected "lit" or "get", got nothing'],
  ],
  [
    "a value of an unknown kind",
    plan([service("web", { command: literal("duration", "1s") })]),
    ['steps[0].op.settings[0]: expected a value, got "duration"'],
  ],
  [
    "a text that is a number",
    plan([service("web", { command: literal("text", 5) })]),
    ["steps[0].op.settings[0]: expected a text, got 5"],
  ],
  [
    "a number that is none",
    plan([service("web", { ...running, port: unsigned("many") })]),
    ['steps[0].op.settings[1]: expected a whole number, got "many"'],
  ],
  [
    "bytes that are none",
    plan([web, file("conf", "a.bin", literal("bytes", [1, 300]))], writes),
    ["steps[1].op.contents: expected bytes, got [1,300]"],
  ],
  [
    "a selector that is none",
    plan([
      service("web", { command: { tag: "get", val: { stepId: "a", path: [{ tag: "all" }] } } }),
    ]),
    ['steps[0].op.settings[0].path: expected "field" or "index", got "all"'],
  ],
  // The plan as a whole.
  [
    "another version",
    plan([web], { version: 2 }),
    ["the plan has IR version 2; this localhostess understands 1"],
  ],
  ["no steps", plan([]), ["the plan has no steps"]],
  ["no service", plan([port("http")]), ["no step declares a service"]],
  [
    "too many steps",
    plan(Array.from({ length: 101 }, (_, at) => service(`s${at}`, running))),
    ["the plan has 101 steps; at most 100 are allowed"],
  ],
  [
    "too much text in all",
    plan(Array.from({ length: 30 }, (_, at) => service(`s${at}`, { command: text(long(40_000)) }))),
    ["the plan has 1.1 MiB; at most 1.0 MiB are allowed"],
  ],
  // Capabilities.
  [
    "an unknown capability",
    plan([web], { requested: ["write-files"] }),
    ['the plan requests an unknown capability "write-files"; did you mean "write-file"?'],
  ],
  [
    "a capability of another program",
    plan([web], { requested: ["network"] }),
    [
      'the plan requests an unknown capability "network"; the capabilities are declare-service, allocate-port, oci-pull, render-template and write-file',
    ],
  ],
  [
    "a capability twice",
    plan([web, file("conf", "a.conf", text("a"))], { requested: ["write-file", "write-file"] }),
    ["the plan requests write-file twice"],
  ],
  [
    "a capability that no step uses",
    plan([web], writes),
    ["the plan requests write-file, and no step uses it"],
  ],
  [
    "a file without the request",
    plan([web, file("conf", "a.conf", text("a"))]),
    ['step "conf" uses write-file, which the plan does not request'],
  ],
  [
    "a template without the request",
    plan([web, template("conf", "a")]),
    ['step "conf" uses render-template, which the plan does not request'],
  ],
  [
    "an image of a container without the request",
    plan([service("web", { runtime: "container", image: text("redis:7") })]),
    ['step "web" uses oci-pull, which the plan does not request'],
  ],
  [
    "a builder image without the request",
    plan([service("web", { runtime: "container", "build.builder": text("heroku/builder:24") })]),
    ['step "web" uses oci-pull, which the plan does not request'],
  ],
  // Ids and needs.
  ["an empty id", plan([service("", { name: "web", ...running })]), ["step 1: its id is empty"]],
  [
    "an id with a space",
    plan([service("my web", { name: "web", ...running })]),
    [
      'step 1: its id "my web" is none; expected at most 100 letters, digits, ".", "_" and "-", the first a letter or digit',
    ],
  ],
  [
    "an id twice",
    plan([web, service("web", { name: "other", ...running })]),
    ['step 2: its id "web" is that of an earlier step'],
  ],
  [
    "an unknown need",
    plan([port("http"), service("web", { needs: ["htp"], ...running })]),
    ['step "web": needs an unknown step "htp"; did you mean "http"?'],
  ],
  [
    "a step that needs itself",
    plan([service("web", { needs: ["web"], ...running })]),
    ["dependency cycle: web -> web"],
  ],
  [
    "a cycle",
    plan([port("a", "a", ["c"]), port("b", "b", ["a"]), port("c", "c", ["b"]), web]),
    ["dependency cycle: a -> c -> b -> a"],
  ],
  [
    "two cycles",
    plan([port("a", "a", ["b"]), port("b", "b", ["a"]), port("c", "c", ["c"]), web]),
    ["dependency cycle: a -> b -> a", "dependency cycle: c -> c"],
  ],
  // References.
  [
    "a reference to nothing",
    plan([
      port("http"),
      service("web", { needs: ["http"], ...running, port: get("htpp", "port") }),
    ]),
    ['step "web": setting "port": an unknown step "htpp"; did you mean "http"?'],
  ],
  [
    "a reference to itself",
    plan([service("web", { ...running, port: get("web", "port") })]),
    ['step "web": setting "port": a step cannot use its own output'],
  ],
  [
    "a reference to a step that is not needed",
    plan([port("http"), service("web", { ...running, port: get("http", "port") })]),
    ['step "web": setting "port": step "http" is not among the steps that it needs'],
  ],
  [
    "a field that is not there",
    plan([
      port("http"),
      service("web", { needs: ["http"], ...running, port: get("http", "prot") }),
    ]),
    [
      'step "web": setting "port": step "http" (allocate-port) gives no "prot"; did you mean "port"?',
    ],
  ],
  [
    "the port of a service without one",
    plan([
      service("api2", running),
      service("web", { needs: ["api2"], ...running, port: get("api2", "port") }),
    ]),
    ['step "web": setting "port": step "api2" (declare-service) gives no "port"; it gives name'],
  ],
  [
    "a reference without a field",
    plan([port("http"), service("web", { needs: ["http"], ...running, port: get("http") })]),
    ['step "web": setting "port": expected a field of step "http", which gives port and host'],
  ],
  [
    "an index",
    plan([port("http"), service("web", { needs: ["http"], ...running, port: get("http", 0) })]),
    ['step "web": setting "port": step "http" gives port and host, and none of them has parts'],
  ],
  [
    "a field of a field",
    plan([
      port("http"),
      service("web", { needs: ["http"], ...running, port: get("http", "port", "number") }),
    ]),
    ['step "web": setting "port": step "http" gives port and host, and none of them has parts'],
  ],
  [
    "a port where a text is meant",
    plan([port("http"), service("web", { needs: ["http"], command: get("http", "port") })]),
    ['step "web": setting "command" (from step "http"): expected a command, got a number'],
  ],
  [
    "a host where a port is meant",
    plan([
      port("http"),
      service("web", { needs: ["http"], ...running, port: get("http", "host") }),
    ]),
    [
      'step "web": setting "port" (from step "http"): expected a whole number from 1 to 65535, got "127.0.0.1"',
    ],
  ],
  [
    "a port as the contents of a file",
    plan([port("http"), web, file("conf", "port", get("http", "port"), ["http"])], writes),
    ['step "conf": the contents: expected a text, got port of step "http", a number'],
  ],
  // Services.
  [
    "a name that is none",
    plan([service("web", { name: "my web", ...running })]),
    [
      'step "web": a service name has only letters (a to z), digits, _ and inner hyphens, at most 63 characters, such as "my-web"',
    ],
  ],
  [
    "the name of a declared service",
    plan([service("web", { name: "db", ...running })]),
    ['step "web": the service "db" is declared already; the plugin has to choose another name'],
  ],
  [
    "two services of one name",
    plan([web, service("again", { name: "web", ...running })]),
    ['step "again": another step declares "web" too'],
  ],
  [
    "an unknown runtime",
    plan([service("web", { runtime: "exce", ...running })]),
    ['step "web": unknown runtime "exce"; did you mean "exec"?'],
  ],
  [
    "a runtime of another program",
    plan([service("web", { runtime: "systemd", ...running })]),
    [
      'step "web": unknown runtime "systemd"; the runtimes are exec, process, worker, task, postgres, redis, valkey, mysql, mariadb, mongodb, minio, mailpit, container and site',
    ],
  ],
  [
    "an unknown setting",
    plan([service("web", { ...running, prot: unsigned(80) })]),
    ['step "web": setting "prot": unknown key; did you mean "port"?'],
  ],
  [
    "a setting of another type",
    plan([service("web", { ...running, volumes: text("a:/b") })]),
    [
      'step "web": setting "volumes": expected a list of volumes, got "a:/b"',
      'step "web": setting "volumes": only for a service of type "container"',
    ],
  ],
  [
    "the type as a setting",
    plan([service("web", { ...running, type: text("task") })]),
    ['step "web": setting "type": the runtime is the type'],
  ],
  [
    "a plugin within a plugin",
    plan([service("web", { ...running, plugin: text("other") })]),
    ['step "web": setting "plugin": a plugin cannot ask another one'],
  ],
  ["no command", plan([service("web", {})]), ['step "web": setting "command" is missing']],
  [
    "a container without an image",
    plan([service("web", { runtime: "container" })]),
    ['step "web": setting "image" is missing'],
  ],
  [
    "a port out of range",
    plan([service("web", { ...running, port: unsigned(70_000) })]),
    ['step "web": setting "port": expected a whole number from 1 to 65535, got 70000'],
  ],
  [
    "a port of 64 bits",
    plan([service("web", { ...running, port: unsigned("18446744073709551615") })]),
    ['step "web": setting "port": the number 18446744073709551615 is no value of a service'],
  ],
  [
    "a value that is null",
    plan([service("web", { ...running, port: literal("null") })]),
    ['step "web": setting "port": null is no value of a service'],
  ],
  [
    "a variable that is a table",
    plan([service("web", { ...running, "env.A.B": text("1") })]),
    ['step "web": setting "env.A": expected a string, got {"B":"1"}'],
  ],
  [
    "a list with a gap",
    plan([service("web", { ...running, "args.0": text("a"), "args.2": text("b") })]),
    ['step "web": setting "args.0": "args.1" is missing; a list has all its places from 0'],
  ],
  [
    "a value and a table",
    plan([service("web", { ...running, env: text("a"), "env.A": text("b") })]),
    ['step "web": setting "env.A": "env" is set as a value too'],
  ],
  [
    "a key twice",
    plan([
      step(
        "web",
        [],
        declared({
          name: "web",
          runtime: "exec",
          settings: [
            ["command", text("a")],
            ["command", text("b")],
          ],
        }),
      ),
    ]),
    ['step "web": setting "command": it is set twice'],
  ],
  [
    "a key without a word",
    plan([service("web", { ...running, "env.": text("a") })]),
    ['step "web": setting "env.": "env." is no key; expected one such as "port" or "env.PORT"'],
  ],
  [
    "a container's port that is none",
    plan(
      [
        image("img", "redis:7"),
        service("web", {
          needs: ["img"],
          runtime: "container",
          image: get("img", "image"),
          "ports.0": text("80:web"),
        }),
      ],
      pulls,
    ),
    [
      'step "web": setting "ports[0]": expected a port such as 1025, or a text such as "8025:1025" or "53:53/udp", got "80:web"',
    ],
  ],
  [
    "too long a text",
    plan([service("web", { command: text(long(70_000)) })]),
    ['step "web": setting "command" has 68 KiB; at most 64 KiB are allowed'],
  ],
  [
    "too many settings",
    plan([
      service(
        "web",
        Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`env.A${at}`, text("a")])),
      ),
    ]),
    ['step "web": 201 settings are too many; at most 200 are allowed'],
  ],
  // Ports and images.
  [
    "a name of a port that is none",
    plan([port("http", "The Port"), web]),
    [
      'step "http": the port\'s name "The Port" is none; expected at most 63 lower-case letters and digits, with "_" and "-" between',
    ],
  ],
  [
    "two ports of one name",
    plan([port("a", "http"), port("b", "http"), web]),
    ['step "b": another step has a port named "http" too'],
  ],
  [
    "an image that is none",
    plan(
      [
        image("img", "Redis:7"),
        service("web", { needs: ["img"], runtime: "container", image: get("img", "image") }),
      ],
      pulls,
    ),
    [
      'step "img": the image "Redis:7" has a name that is none; expected lower-case letters and digits with . _ or - between',
    ],
  ],
  [
    "an image with two tags",
    plan([service("web", { runtime: "container", image: text("redis:7:8") })], pulls),
    ['step "web": setting "image": the image "redis:7:8" has a tag that is none'],
  ],
  [
    "an image with a digest that is none",
    plan([service("web", { runtime: "container", image: text("redis@sha256:12") })], pulls),
    [
      'step "web": setting "image": the image "redis@sha256:12" has a digest that is none; expected sha256: and 64 digits of 0 to 9 and a to f',
    ],
  ],
  [
    "an image that nobody uses",
    plan([image("img", "redis:7"), web], pulls),
    ['step "img": no service has its image'],
  ],
  // Templates.
  [
    "a template that is not closed",
    plan([web, template("conf", "port 1\nport {{port")], renders),
    ['step "conf": the template, line 2: missing }} after "{{"; a literal "{{" is {{"{{"}}'],
  ],
  [
    "a template with an expression",
    plan([web, template("conf", "port {{ 1 + 1 }}", { port: text("1") })], renders),
    ['step "conf": the template, line 1: expected a name in {{ }}, got "1 + 1"'],
  ],
  [
    "a template with an unknown name",
    plan([web, template("conf", "port {{prot}}", { port: text("1") })], renders),
    ['step "conf": the template has no value "prot"; did you mean "port"?'],
  ],
  [
    "a template without values",
    plan([web, template("conf", "port {{port}}")], renders),
    ['step "conf": the template has no value "port"; it has no values'],
  ],
  [
    "a value that is a number of 64 bits",
    plan([web, template("conf", "{{a}}", { a: unsigned("18446744073709551615") })], renders),
    ['step "conf": value "a": the number 18446744073709551615 is too large, or none'],
  ],
  [
    "a value that is bytes",
    plan([web, template("conf", "{{a}}", { a: literal("bytes", [1]) })], renders),
    ['step "conf": value "a": expected a text, a number or a boolean, got bytes'],
  ],
  // Files.
  [
    "an absolute path",
    plan([web, file("conf", "/etc/passwd", text(""))], writes),
    [
      'step "conf": the path "/etc/passwd" is absolute; expected one relative to the project\'s folder',
    ],
  ],
  [
    "a path that leads out",
    plan([web, file("conf", "conf/../../.bashrc", text(""))], writes),
    ['step "conf": the path "conf/../../.bashrc" leads out of the project\'s folder'],
  ],
  [
    "a path of the person's folder",
    plan([web, file("conf", "~/.bashrc", text(""))], writes),
    [
      'step "conf": the path "~/.bashrc" begins with ~; expected one relative to the project\'s folder',
    ],
  ],
  [
    "an empty path",
    plan([web, file("conf", "", text(""))], writes),
    ['step "conf": the path "" is empty'],
  ],
  [
    "a path with dots in its midst",
    plan([web, file("conf", "conf/./a", text(""))], writes),
    ['step "conf": the path "conf/./a" is no plain path; expected one such as "config/redis.conf"'],
  ],
  [
    "a path with a backslash",
    plan([web, file("conf", "..\\a", text(""))], writes),
    ['step "conf": the path "..\\\\a" has a backslash; expected / between names'],
  ],
  [
    "a path of git's",
    plan([web, file("conf", "sub/.GIT/hooks/pre-commit", text(""))], writes),
    ['step "conf": the path "sub/.GIT/hooks/pre-commit" is in .git, where plugins write nothing'],
  ],
  [
    "a path of plugins",
    plan([web, file("conf", ".locald/plugins/other.wasm", text(""))], writes),
    [
      'step "conf": the path ".locald/plugins/other.wasm" is in .locald, where plugins write nothing',
    ],
  ],
  [
    "locald.toml",
    plan([web, file("conf", "locald.toml", text(""))], writes),
    [
      'step "conf": the path "locald.toml" is a file that declares services, which plugins do not write',
    ],
  ],
  [
    "another folder's Procfile",
    plan([web, file("conf", "sub/Procfile.dev", text(""))], writes),
    [
      'step "conf": the path "sub/Procfile.dev" is a file that declares services, which plugins do not write',
    ],
  ],
  [
    "two files of one path",
    plan([web, file("a", "conf/a", text("")), file("b", "conf/A", text(""))], writes),
    ['step "b": another step writes "conf/A" too'],
  ],
  [
    "a file within a file",
    plan([web, file("a", "conf", text("")), file("b", "conf/a", text(""))], writes),
    ['step "b": the path "conf/a" is in "conf", which is a file'],
  ],
  [
    "contents that are a number",
    plan([web, file("a", "a", unsigned(1))], writes),
    ['step "a": the contents: expected a text or bytes, got unsigned'],
  ],
  [
    "too large a file",
    plan([web, file("a", "a", text(long(300_000)))], writes),
    ['step "a": the file has 293 KiB; at most 256 KiB are allowed'],
  ],
  [
    "many mistakes at once",
    plan(
      [
        port("p", "P"),
        service("web", {
          name: "db",
          needs: ["q"],
          runtime: "exec",
          port: unsigned(0),
          prot: text("a"),
        }),
        file("f", "../a", text("")),
      ],
      { version: 3, requested: ["oci_pull"] },
    ),
    [
      "the plan has IR version 3; this localhostess understands 1",
      "the plan requests oci-pull, and no step uses it",
      'step "f" uses write-file, which the plan does not request',
      'step "p": the port\'s name "P" is none; expected at most 63 lower-case letters and digits, with "_" and "-" between',
      'step "web": needs an unknown step "q"',
      'step "web": the service "db" is declared already; the plugin has to choose another name',
      'step "web": setting "port": expected a whole number from 1 to 65535, got 0',
      'step "web": setting "prot": unknown key; did you mean "port"?',
      'step "web": setting "command" is missing',
      'step "f": the path "../a" leads out of the project\'s folder',
    ],
  ],
  // Far too much, or close to something that is right.
  [
    "a chain of 10,000 steps",
    plan(Array.from({ length: 10_000 }, (_, at) => port(`p${at}`, `p${at}`, [`p${at - 1}`]))),
    ["the plan has 10000 steps; at most 100 are allowed"],
  ],
  [
    "a step with 10,000 needs",
    plan([service("web", { needs: Array.from({ length: 10_000 }, (_, at) => `p${at}`) })]),
    ["step 1: it needs 10000 steps; at most 100 are allowed"],
  ],
  [
    "10,000 capabilities",
    plan([web], { requested: Array.from({ length: 10_000 }, (_, at) => `c${at}`) }),
    ["the plan requests 10000 capabilities, and there are 5"],
  ],
  [
    "a template that grows when it is filled in",
    plan([web, template("conf", "{{a}}".repeat(10_000), { a: text(long(60_000)) })], renders),
    ['step "conf": the template, filled in, has more than 256 KiB'],
  ],
  [
    "services that are large together, by one text",
    plan(
      [
        template("conf", "{{a}}{{a}}", { a: text(long(60_000)) }),
        service("web", {
          ...{ ...running, needs: ["conf"] },
          ...Object.fromEntries(
            Array.from({ length: 100 }, (_, at) => [`env.A${at}`, get("conf", "rendered")]),
          ),
        }),
      ],
      renders,
    ),
    ["the services and files of the plan have 11 MiB; at most 1.0 MiB are allowed"],
  ],
  [
    "too many values of a template",
    plan(
      [
        web,
        template(
          "conf",
          "a",
          Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`a${at}`, text("a")])),
        ),
      ],
      renders,
    ),
    ['step "conf": 201 values are too many; at most 200 are allowed'],
  ],
  ["a step that is none", plan([null]), ["steps[0]: expected a step, got null"]],
  [
    "a list of steps in the list",
    plan([[web]]),
    [expect.stringMatching(/^steps\[0\]: expected a step, got \[/)],
  ],
  [
    "a version that is no whole number",
    plan([web], { version: 1.5 }),
    ["the plan has IR version 1.5; this localhostess understands 1"],
  ],
  [
    "a version of nothing",
    plan([web], { version: 0 }),
    ["the plan has IR version 0; this localhostess understands 1"],
  ],
  [
    "an id in pictures",
    plan([service("\u{1f600}", { name: "web", ...running })]),
    [
      'step 1: its id "\u{1f600}" is none; expected at most 100 letters, digits, ".", "_" and "-", the first a letter or digit',
    ],
  ],
  [
    "a service that would replace what every object has",
    plan([service("web", { name: "__proto__", ...running })]),
    ['step "web": no service of a plan is named "__proto__"'],
  ],
  [
    "a port that would",
    plan([port("p", "constructor"), web]),
    [
      'step "p": the port\'s name "constructor" is none; expected at most 63 lower-case letters and digits, with "_" and "-" between',
    ],
  ],
  [
    "a setting that would",
    plan([
      step(
        "web",
        [],
        declared({
          ...{ name: "web", runtime: "exec" },
          settings: [
            ["command", text("a")],
            ["env.__proto__.A", text("b")],
          ],
        }),
      ),
    ]),
    ['step "web": setting "env.__proto__": expected a string, got {"A":"b"}'],
  ],
  ...(
    [
      [unsigned(0), "0"],
      [literal("signed", -1), "-1"],
      [literal("float", 1.5), "1.5"],
      [text("80"), '"80"'],
      [literal("boolean", true), "true"],
    ] as const
  ).map(
    ([its, got]) =>
      [
        `the port ${got}`,
        plan([service("web", { ...running, port: its })]),
        [`step "web": setting "port": expected a whole number from 1 to 65535, got ${got}`],
      ] as const,
  ),
  [
    "a port that is not a number",
    plan([service("web", { ...running, port: literal("float", Number.NaN) })]),
    ['step "web": setting "port": the number NaN is no value of a service'],
  ],
  ...(
    [
      [
        "redis 7",
        "has a name that is none; expected lower-case letters and digits with . _ or - between",
      ],
      ["", "is empty"],
      ["redis:7 ", "has a tag that is none"],
      [
        `redis@sha256:${"A".repeat(64)}`,
        "has a digest that is none; expected sha256: and 64 digits of 0 to 9 and a to f",
      ],
      ["https://a.test/redis", "has a registry that is none"],
      ["a.test:99999/redis", "has a registry that is none"],
      [
        "redis\u202e:7",
        "has a name that is none; expected lower-case letters and digits with . _ or - between",
      ],
    ] as const
  ).map(
    ([its, why]) =>
      [
        `the image ${JSON.stringify(its)}`,
        plan([service("web", { runtime: "container", image: text(its) })], pulls),
        [`step "web": setting "image": the image ${JSON.stringify(its)} ${why}`],
      ] as const,
  ),
  ...(
    [
      [".", 'is no plain path; expected one such as "config/redis.conf"'],
      ["a//b", 'is no plain path; expected one such as "config/redis.conf"'],
      ["a/", 'is no plain path; expected one such as "config/redis.conf"'],
      ["a/../b", "leads out of the project's folder"],
      ["C:\\a", "is absolute; expected one relative to the project's folder"],
      ["a\0b", "has a character that cannot be seen"],
      ["a\nb", "has a character that cannot be seen"],
      ["a\u202eb", "has a character that cannot be seen"],
      [".g\u200cit/hooks/pre-commit", "has a character that cannot be seen"],
      ["GIT~1/hooks/pre-commit", "is in .git, where plugins write nothing"],
      [".git::$INDEX_ALLOCATION/hooks/a", "is in .git, where plugins write nothing"],
      ["\uff0egit/hooks/a", "is in .git, where plugins write nothing"],
      ["proc\ufb01le", "is a file that declares services, which plugins do not write"],
      ["LOCALD.toml. ", "is a file that declares services, which plugins do not write"],
    ] as const
  ).map(
    ([its, why]) =>
      [
        `the path ${JSON.stringify(its)}`,
        plan([web, file("conf", its, text(""))], writes),
        [`step "conf": the path ${JSON.stringify(its)} ${why}`],
      ] as const,
  ),
  [
    "a path with a name that no file system has",
    plan([web, file("conf", `a/${long(300)}`, text(""))], writes),
    [`step "conf": the path "a/${long(77)}…" has a name of more than 200 bytes`],
  ],
];

for (const [what, value, mistakes] of bad) {
  test(`a plan with ${what} is refused with its reason`, () => {
    expect(mistakesOf(value)).toEqual([...mistakes]);
    expect(mistakes.length).toBeGreaterThan(0);
  });
}

test("a plan that is wrong in thousands of ways is refused as soon as others, with the first of them", () => {
  const names = Array.from({ length: 100 }, (_, at) => `p${at}`);
  const steps = names.map((its) =>
    port(
      its,
      its,
      names.map((other) => `${"y".repeat(50)}${other}`),
    ),
  );
  expect(mistakesOf(plan(steps)).length).toBeLessThan(110);
  expect(mistakesOf(plan(names.map((its) => port(its, its, names)))).length).toBeLessThan(110);
  const unclosed = template("conf", "{{ }}".repeat(50_000));
  expect(mistakesOf(plan([web, unclosed], renders)).length).toBeLessThan(110);
});

/** Any compose file: an answer, and what is written is a locald.toml without errors. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { newManifest } from "../../../src/manifest/new-manifest.ts";
import { readTemplate } from "../../../src/manifest/reference.ts";
import { composeParts, commandText } from "../../../src/manifest/compose/interpolate.ts";
import { holdsFor } from "../../support/property.ts";
import { directory, read } from "../manifest.ts";
import { compose } from "./composed.ts";

/** Milliseconds, on a busy machine: a property goes on for ten seconds. */
const patience = 60_000;

const names = [
  "web",
  "api",
  "db",
  "my.db",
  "my_db",
  "My-DB",
  "__proto__",
  "constructor",
  "a b",
  "é",
];

const word = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom("x", "./src", "/a/b", "data:/d", "8080:80", "5s", "true"),
  },
  fc.constantFrom(
    "${A}",
    "${A:-b}",
    "$${A}",
    "$A",
    "${A:-${B:-{c}}}",
    "${PORT}",
    "${",
    "$",
    "a'b",
    '"',
  ),
  fc.constantFrom(
    "${env.X}",
    "$${env.X}",
    "${services.web.port}",
    "${A:+}",
    "${A?}",
    "1G",
    "~",
    ".",
    "",
  ),
  fc.string({ maxLength: 5 }),
);
const scalar = fc.oneof(
  { weight: 5, arbitrary: word },
  fc.integer({ min: -1, max: 70_000 }),
  fc.constantFrom(null, true, false, 1.5),
);
const list = fc.array(scalar, { maxLength: 4 });
const mapping = fc.dictionary(fc.oneof(fc.constantFrom("A", "B", ...names), word), scalar, {
  maxKeys: 4,
});
const anything = fc.oneof(scalar, list, mapping, fc.array(mapping, { maxLength: 2 }));

const conditions = fc.constantFrom(
  ...["service_started", "service_healthy", "service_completed_successfully", "soon"],
);
const need = fc.record({ condition: conditions, restart: fc.boolean(), required: fc.boolean() });
const port = fc.oneof(
  fc.integer({ min: 0, max: 70_000 }),
  fc.constantFrom(
    "80",
    "8080:80",
    "127.0.0.1:1:2",
    "53:53/udp",
    "53:53",
    "1-3:4-6",
    "[::1]:1:1",
    "x",
    "80:80",
  ),
  fc.record({ target: scalar, published: scalar, protocol: fc.constantFrom("tcp", "udp", "sctp") }),
);
const check = fc.record(
  {
    test: fc.oneof(
      scalar,
      fc.array(word),
      fc.constantFrom(["CMD", "a"], ["CMD-SHELL", "$${A}"], ["NONE"]),
    ),
    interval: word,
    timeout: word,
    retries: scalar,
    start_period: word,
    disable: scalar,
  },
  { requiredKeys: [] },
);
const service = fc.record(
  {
    image: fc.oneof({ weight: 4, arbitrary: fc.constantFrom("busybox", "postgres:17") }, scalar),
    build: fc.oneof(
      scalar,
      fc.record({ context: word, dockerfile: scalar, args: anything, target: word }),
    ),
    ports: fc.oneof(fc.array(port, { maxLength: 4 }), anything),
    expose: anything,
    volumes: anything,
    environment: fc.oneof(mapping, list),
    env_file: anything,
    depends_on: fc.oneof(
      fc.dictionary(fc.constantFrom("zed", ...names), need, { maxKeys: 2 }),
      fc.array(fc.constantFrom("zed", ...names), { maxLength: 2 }),
      anything,
    ),
    healthcheck: fc.oneof({ weight: 3, arbitrary: check }, anything),
    command: fc.oneof(scalar, list),
    entrypoint: fc.oneof(scalar, list),
    user: anything,
    working_dir: anything,
    restart: fc.constantFrom("no", "always", "on-failure:3", "unless-stopped", "never", false),
    profiles: fc.oneof(fc.constantFrom(["a"], ["a b"]), anything),
    stop_signal: scalar,
    stop_grace_period: scalar,
    mem_limit: scalar,
    deploy: anything,
    pull_policy: scalar,
    secrets: list,
    links: list,
    networks: anything,
    labels: anything,
    "x-mine": anything,
    wat: anything,
  },
  { requiredKeys: ["image"] },
);
const file = fc.record(
  {
    services: fc.dictionary(fc.constantFrom(...names), service, { maxKeys: 4 }),
    name: scalar,
    volumes: mapping,
    networks: anything,
    secrets: fc.constantFrom({}, { x: { file: "./x" } }),
    configs: anything,
  },
  { requiredKeys: ["services"] },
);

const empty = { kind: "text", text: "" } as const;
const envFiles = new Map(["x", "src"].map((name) => [`${directory}/${name}`, empty]));

/** As `init` writes it; undefined where the compose file has errors. */
function written(text: string, taken: readonly string[]): string | undefined {
  const its = compose(text, { taken, dotenv: { B: "set" }, files: { x: "", src: "" } });
  if (its.kind === "mistakes") return undefined;
  const services = taken.map((name) => ({ name, type: "exec" as const, command: "x", from: "y" }));
  const { comments } = its;
  const composed = { files: ["compose.yaml"], services: its.services, comments };
  return newManifest({ name: "shop", services, composed, notes: [] });
}

test(
  "whatever services a compose file has, the locald.toml made of it has no error",
  () => {
    let done = 0;
    holdsFor(
      fc.property(file, fc.constantFrom([], ["web"], ["db", "api"]), (its, taken) => {
        const text = written(JSON.stringify(its, undefined, 1), taken);
        if (text === undefined) return;
        done += 1;
        const found = read(text, { envFiles, home: "/home/ada" });
        if (found.kind === "mistakes") throw new Error(`${found.mistakes.join("\n")}\n${text}`);
      }),
      { runs: 300 },
    );
    expect(done).toBeGreaterThan(10);
  },
  patience,
);

test(
  "half of any compose file has an answer, and never throws",
  () => {
    const halves = fc.tuple(file, fc.double({ min: 0, max: 1, noNaN: true }));
    holdsFor(
      fc.property(halves, ([its, part]) => {
        const text = JSON.stringify(its, undefined, 1);
        const found = compose(text.slice(0, text.length * part));
        if (found.kind === "done") return;
        for (const mistake of found.mistakes) expect(mistake).toMatch(/^compose\.yaml:\d+: ./);
      }),
      { runs: 100 },
    );
  },
  patience,
);

test(
  "a command is written so that our own reader finds the same variables in it",
  () => {
    holdsFor(
      fc.property(
        fc.array(word).map((words) => words.join("")),
        (text) => {
          const its = commandText(composeParts(text), () => "shell");
          if (its !== undefined) expect(readTemplate(its, { shell: true }).mistakes).toEqual([]);
        },
      ),
      { runs: 1_000 },
    );
  },
  patience,
);

/** A service of a type that nobody knows, or that cannot be started: the others are read as if it were alone. */
import { expect, test } from "bun:test";
import { readLayer } from "../../../src/manifest/layer.ts";
import { readManifest } from "../../../src/manifest/read/read-manifest.ts";
import { directory, mistakes, project, service } from "../manifest.ts";

const types =
  "exec, process, worker, task, postgres, redis, valkey, mysql, mariadb, mongodb, minio, mailpit, container and site";

test("it is a warning with file, line and the nearest word, and cannot be started", () => {
  const text = `[services.db]
type = "postgre"
[services.web]
command = "bun dev"
`;
  const { services, warnings } = project(text);
  expect(warnings).toEqual([
    'locald.toml:2 services.db.type: type "postgre" is unknown; did you mean "postgres"?; up starts the other services without it',
  ]);
  expect(services).toMatchObject([
    {
      name: "db",
      type: "unknown",
      unusable: 'its type "postgre" is unknown; did you mean "postgres"?',
    },
    { name: "web", type: "exec" },
  ]);
});

test("what others call a type leads to it, and not to the word that looks like it", () => {
  const meant = { docker: "container", static: "site", mongo: "mongodb", postgresql: "postgres" };
  for (const [word, type] of Object.entries(meant)) {
    const { unusable } = service(`[services.a]\ntype = "${word}"\n`, "a");
    expect(unusable).toBe(`its type "${word}" is unknown; did you mean "${type}"?`);
  }
});

test("where no word is near, the types are listed with the place in the file", () => {
  const text = '[services.db]\ntype = "cloud-run"\n';
  expect(project(text).warnings).toEqual([
    `locald.toml:2 services.db.type: type "cloud-run" is unknown; the types are ${types}, and those that plugins know; up starts the other services without it`,
  ]);
  expect(service(text, "db").unusable).toBe(
    'its type "cloud-run" is unknown; localhostess config check lists the types',
  );
});

test("no error in its table refuses the project, whatever stands there", () => {
  const text = `[services.fn]
type = "lambda"
port = "8080"
command = 3
depends_on = ["nothing"]
env = { A = 1 }
health_check = []
memory = "512"
regions = ["eu"]
instances = 0
[services.web]
command = "bun dev"
depends_on = ["fn"]
env = { FN = "\${services.fn.url}" }
`;
  expect(mistakes(text)).toEqual([]);
  expect(service(text, "web")).toMatchObject({ dependsOn: ["fn"] });
});

test("its keys may stand in another layer than its type", () => {
  const layers = [
    readLayer('[services.fn]\nregions = ["eu"]\n', { name: "../.locald.toml" }),
    readLayer('[services]\nfn = { type = "lambda" }\nweb = "x"\n', { name: "locald.toml" }),
  ];
  expect(readManifest({ directory, layers, envFiles: new Map() })).toMatchObject({
    kind: "project",
    project: { services: [{ type: "unknown" }, { type: "exec" }] },
  });
});

test("a type that is no text is an error of the file, and the only one of its service", () => {
  expect(mistakes("[services]\nfn = { type = true, regions = 1 }\n")).toEqual([
    expect.stringContaining("locald.toml:2 services.fn.type: expected "),
    expect.stringContaining("locald.toml:2 services.fn.regions: unknown key"),
  ]);
});

test('type = "unknown" is no type either', () => {
  expect(service('[services.a]\ntype = "unknown"\n', "a").unusable).toContain("is unknown");
});

/** Services that cannot be started, with the real daemon: what is told of them, and that the others run. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { projectPlace, server } from "../support/project-place.ts";

const toml = `[project]
name = "shop"
[services.db]
type = "postgre"
regions = ["eu"]
[services.web]
command = """${server}"""
[services.api]
command = """${server}"""
depends_on = ["db"]
env = { DB = "\${services.db.url}" }
`;

test("up starts the others, ends with code 1, and says of each why, as status, why and the files do", async () => {
  await using place = await projectPlace();
  const folder = await place.project("shop", toml);
  const up = await place.daemon.run("up", folder);
  expect(up.code).toBe(1);
  const unknown = 'its type "postgre" is unknown; did you mean "postgres"?';
  expect(up.err).toContain(`locald.toml:4 services.db.type: ${unknown.slice(4)}`);
  expect(up.err).toContain(`shop:db did not start: ${unknown}`);
  expect(up.err).toContain(
    `shop:api did not start: db, which it waits for, cannot start: ${unknown}`,
  );
  const rows = await place.rows();
  expect(rows.map(({ service, type, state }) => [service, type, state])).toEqual([
    ["db", "unknown", "failed"],
    ["web", "exec", "ready"],
    ["api", "exec", "failed"],
  ]);
  // A service that runs is not in doubt for the sake of another.
  expect((await place.row("shop:web")).warnings).toEqual([]);
  expect((await place.row("shop:db")).warnings.join()).toContain("services.db.type");
  const status = await place.daemon.run("status", "shop");
  expect(status.out + status.err).toContain(unknown);
  const one = await place.daemon.run("why", "shop:db");
  expect(one.out + one.err).toContain(unknown);
  // By name it is refused in the same words.
  const named = await place.daemon.run("up", folder, "db");
  expect(named.code).toBe(1);
  expect(named.err).toContain(`shop:db did not start: ${unknown}`);
  const check = await place.daemon.run("config", "check", folder);
  expect(check.code).toBe(0);
  expect(check.err).toContain("warning: ");

  // Once its word is right, its dependents go on with it.
  const right = `${toml.replace('"postgre"\nregions = ["eu"]', `"exec"\ncommand = '''${server}'''`)}`;
  await place.write(join(folder, "locald.toml"), right);
  expect((await place.daemon.run("up", folder, "api")).code).toBe(0);
  expect(await place.row("shop:api")).toMatchObject({ state: "ready" });
}, 60_000);

test("a file without services is no error: up says that there is nothing to start", async () => {
  await using place = await projectPlace();
  const folder = await place.project("empty", '[project]\nname = "empty"\n');
  const up = await place.daemon.run("up", folder);
  expect(up.err).toContain("no services are declared");
  expect({ code: up.code, text: up.out + up.err }).toMatchObject({
    code: 0,
    text: expect.stringContaining("nothing to start"),
  });
}, 60_000);

/** Images and services in containers where no engine of them is. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { cli, freshState } from "../cli/cli.ts";
import { projectPlace, server } from "../support/project-place.ts";

const patience = 60_000;

test("without an engine, a run says how to get one, and exits with 125", async () => {
  await using state = await freshState();
  const DOCKER_HOST = `unix://${state.directory}/nobody.sock`;
  const { code, err } = await cli(["container", "run", "alpine"], {
    env: { ...state.env, DOCKER_HOST },
  });
  expect(code).toBe(125);
  expect(err).toContain("no container engine answers");
  expect(err).toContain("start that engine, or change DOCKER_HOST");
});

test(
  "up without an engine: that service says how to get one, the rest starts, and the exit code is 1",
  async () => {
    await using place = await projectPlace();
    const directory = await place.project(
      "lone",
      '[services.search]\ntype = "container"\nimage = "search:1"\nport = 7700\n' +
        '[services.ticks]\ntype = "worker"\ncommand = "sleep 60"\n',
    );
    const socket = join(directory, "nobody.sock");
    const { code, out, err } = await cli(["up", directory], {
      env: { LOCALHOSTESS_STATE_DIR: place.daemon.directory, DOCKER_HOST: `unix://${socket}` },
    });
    expect(code).toBe(1);
    expect(`${out}${err}`).toContain(`no container engine answers (${socket}`);
    expect(`${out}${err}`).toContain("start that engine, or change DOCKER_HOST");
    expect(await place.row("lone:search")).toMatchObject({ state: "failed" });
    expect(await place.row("lone:ticks")).toMatchObject({ state: "ready" });
  },
  patience,
);

test(
  "without an engine, one says how to get it, and the others start",
  async () => {
    await using place = await projectPlace();
    const directory = await place.project(
      "none",
      `[services.db]
type = "container"
image = "shop/web:1"
[services.web]
command = """${server}"""
`,
    );
    const nowhere = `unix://${join(place.daemon.directory, "no.sock")}`;
    await place.up(directory, { env: { PATH: process.env.PATH!, DOCKER_HOST: nowhere } });
    await place.until("none:web", ({ state }) => state === "ready");
    const { state, why } = await place.until("none:db", (row) => row.state === "failed");
    expect(`${state}: ${why}`).toMatch(/no container engine answers.*DOCKER_HOST/);
  },
  patience,
);

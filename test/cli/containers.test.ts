/** Containers in the verbs that need no daemon: ls looks at engines by itself, and doctor says how they are. */
import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkContainers, checkProjectContainers } from "../../src/cli/trust/check-containers.ts";
import { hiddenContainer } from "../../src/cli/servers/hidden-container.ts";
import type { Settings } from "../../src/cli/shared/settings.ts";
import type { World } from "../../src/cli/shared/world.ts";
import { answerOf, fakeEngine } from "../containers/fake-engine.ts";
import { freshState, spawned } from "./cli.ts";

const web = {
  ...{ Id: "1", Names: ["/web"], Image: "nginx", Command: "nginx", State: "running" },
  Ports: [{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: 9, Type: "tcp" }],
};

const engine = () => fakeEngine({ "/containers/json": answerOf(JSON.stringify([web])) });

async function listed(...sockets: string[]) {
  await using state = await freshState();
  const config = join(state.directory, "config.toml");
  await writeFile(config, `containers = ${JSON.stringify(sockets)}\n`);
  const { out, err } = await spawned(["ls", "--json"], {
    env: { ...state.env, LOCALHOSTESS_CONFIG: config },
  });
  expect(err).toBe("");
  return JSON.parse(out) as { name: string; source: string; because: string }[];
}

test("ls without a daemon has the containers of engines that answer, and is not held up by one that does not", async () => {
  using good = engine();
  using bad = fakeEngine({});
  const rows = await listed(good.path, bad.path);
  expect(rows.filter(({ source }) => source === "container")).toMatchObject([
    { name: "web", because: "name of container web" },
  ]);
  expect(bad.asked).toHaveLength(1);
});

async function found(env: Record<string, string>, containers?: boolean | string[]) {
  const home = await mkdtemp(join(tmpdir(), "engine-home-"));
  const origin = { file: "config.toml", line: 1 };
  const config = containers === undefined ? {} : { containers: { value: containers, origin } };
  const findings = await checkContainers({ config } as Settings, { env, home } as World);
  await rm(home, { recursive: true });
  return findings;
}

test("doctor says which engines are asked, and what is wrong with the others", async () => {
  using good = engine();
  using wrong = fakeEngine({ "/containers/json": answerOf("{") });
  const file = join(good.path, "../file");
  await writeFile(file, "");
  const sockets = [good.path, wrong.path, file, "/nowhere/docker.sock"];
  const findings = await found({}, sockets);
  expect(findings.map(({ check, level, detail }) => [check, level, detail])).toEqual([
    [`containers at ${good.path}`, "ok", "Docker/28.0.0 (linux), 1 container with published ports"],
    [`containers at ${wrong.path}`, "warning", "it answered with something that is not JSON"],
    [`containers at ${file}`, "warning", "it is no socket"],
  ]);
  expect(findings.map(({ fix }) => fix === null)).toEqual([true, false, false]);
  expect(await found({}, false)).toEqual([]);
});

test("an engine that DOCKER_HOST names over the network is a warning", async () => {
  const findings = await found({ DOCKER_HOST: "tcp://127.0.0.1:2375" });
  expect(findings.filter(({ level }) => level === "warning").map(({ detail }) => detail)).toContain(
    "the engine of DOCKER_HOST (tcp) is not asked: only engines on a unix socket are asked",
  );
});

test("why knows of a container that publishes nothing, and of an engine that cannot be asked", async () => {
  const bare = { ...web, Names: ["/bare"], Ports: [] };
  using good = fakeEngine({ "/containers/json": answerOf(JSON.stringify([web, bare])) });
  const file = join(good.path, "../file");
  await writeFile(file, "");
  const of = (name: string, ...sockets: string[]) => {
    const containers = { value: sockets, origin: { file: "config.toml", line: 1 } };
    return hiddenContainer(name, { config: { containers }, env: {}, home: "/nowhere" });
  };
  expect(await of("bare", good.path)).toEqual({
    detail: "container bare has that name, and publishes no TCP port",
    fix: "publish one: ports in its Compose file, or docker run -p",
  });
  expect(await of("web", good.path)).toBeUndefined();
  expect(await of("db", good.path)).toBeUndefined();
  expect(await of("db", good.path, file)).toEqual({
    detail: `containers of the engine at ${file} are not known: it is no socket`,
    fix: "localhostess doctor",
  });
});

test("doctor says which engine runs the containers of the project here, or how to get one", async () => {
  using good = fakeEngine({ "/_ping": answerOf("OK") });
  const home = await mkdtemp(join(tmpdir(), "engine-project-"));
  const found = async (socket: string) =>
    await checkProjectContainers(
      { config: {} } as Settings,
      {
        env: { DOCKER_HOST: `unix://${socket}` },
        home,
        cwd: home,
        platform: "linux",
      } as unknown as World,
    );
  expect(await found(good.path)).toEqual([]);
  await writeFile(
    join(home, "locald.toml"),
    '[project]\nname = "shop"\n[services.search]\ntype = "container"\nimage = "x:1"\n[services.api]\ncommand = "x"\n',
  );
  expect(await found(good.path)).toMatchObject([
    {
      check: "containers of shop",
      level: "ok",
      detail: `1 service run by the engine at ${good.path}`,
    },
  ]);
  const [none] = await found(join(home, "nobody.sock"));
  expect(none).toMatchObject({ level: "broken" });
  expect(none!.detail).toContain("no container engine answers");
  expect(none!.detail).toEndWith("start that engine, or change DOCKER_HOST");
  await rm(home, { recursive: true });
});

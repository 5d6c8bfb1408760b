/** The container engines of this machine -> a finding for each: whether their published ports have names. */
import { type EngineLook, lookOnce } from "../../containers/one-look.ts";
import { chooseEngine } from "../../containers/runs/choose-engine.ts";
import { systemClock } from "../../system/clock.ts";
import { counted } from "../../text/counted.ts";
import { printable } from "../../text/printable.ts";
import { projectFolderOf, projectIn } from "../shared/project-files.ts";
import type { Settings } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import type { Finding } from "./finding.ts";

/** Milliseconds: the same as the daemon waits. */
const deadline = 2000;

/** None where there is no engine. */
export async function checkContainers({ config }: Settings, world: World): Promise<Finding[]> {
  const { engines, notes } = await lookOnce({
    ...{ clock: systemClock, env: world.env, home: world.home, deadline },
    uid: process.getuid?.() ?? 0,
    wanted: config.containers?.value ?? true,
  });
  return [
    ...engines.map(findingOf),
    ...notes.map((detail): Finding => ({
      check: "containers",
      level: "warning",
      detail,
      fix: null,
    })),
  ];
}

function findingOf({ path, server, containers, trouble, isDead }: EngineLook): Finding {
  const check = `containers at ${path}`;
  if (isDead) return { check, level: "ok", detail: "the engine does not run", fix: null };
  if (trouble !== undefined) {
    const fix =
      'containers = false, or a list of sockets such as ["/var/run/docker.sock"], in config.toml';
    return { check, level: "warning", detail: trouble, fix };
  }
  const published = containers.filter(({ ports }) => ports.length > 0).length;
  const detail = `${printable(server ?? "an engine", 100)}, ${counted(published, "container")} with published ports`;
  return { check, level: "ok", detail, fix: null };
}

/** Whether the containers of the project here can be run. None where it has none, or no project is here. */
export async function checkProjectContainers(
  { config }: Settings,
  world: World,
): Promise<Finding[]> {
  const directory = await projectFolderOf(undefined, world);
  const read = await projectIn(directory, world);
  if (read.kind !== "project") return [];
  const { name, services } = read.project;
  const its = Object.values(services).filter(({ own }) => own?.kind === "container");
  if (its.length === 0) return [];
  const check = `containers of ${name}`;
  const only = config.containers?.value;
  const chosen = await chooseEngine({
    ...{ env: world.env, home: world.home, uid: process.getuid?.() ?? 0, clock: systemClock },
    only: Array.isArray(only) ? (only as readonly string[]) : undefined,
  });
  if (chosen.kind === "none") return [{ check, level: "broken", detail: chosen.why, fix: null }];
  const detail = `${counted(its.length, "service")} run by the engine at ${chosen.engine.socket}`;
  return [{ check, level: "ok", detail, fix: null }];
}

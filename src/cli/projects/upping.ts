/** A start that is asked of the daemon: the request, and where its project and the person are. */
import type { ProjectSpec } from "../../manifest/project.ts";
import type { World } from "../shared/world.ts";

export type Upping = {
  socket: string;
  request: unknown;
  /** Whether a daemon that takes over meanwhile may be asked for the same. */
  repeats: boolean;
  project: ProjectSpec;
  /** Those that were named; empty: the whole project. */
  services: readonly string[];
  world: World;
};

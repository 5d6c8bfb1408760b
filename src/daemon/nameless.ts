/** The latest scan, its services and those of projects -> the servers that no name leads to, for every door. */
import { hostname } from "node:os";
import type { Scanner } from "../discovery/scanner.ts";
import { unusableServers } from "../discovery/unusable.ts";
import type { Unusable } from "../routes/unusable.ts";
import type { Projects } from "../supervisor/projects.ts";
import { ownFile } from "../system/own-bun.ts";
import type { CurrentRoutes } from "./current-routes.ts";

export type NamelessParts = {
  discovery: Scanner;
  routes: CurrentRoutes;
  projects: Projects;
  wsl: boolean;
};

export function namelessNow({ discovery, routes, projects, wsl }: NamelessParts) {
  return (): readonly Unusable[] =>
    unusableServers(discovery.scan(), {
      hostName: hostname(),
      wsl,
      uid: process.getuid?.() ?? 0,
      services: routes.table.services,
      supervised: projects.snapshots(),
      ownPids: new Set([process.pid]),
      ownFile: ownFile(),
    });
}

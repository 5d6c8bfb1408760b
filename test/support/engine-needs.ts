/** A kind of container engine -> what this machine lacks for it, in words for a test's title. */
import { lackingNamespaces } from "./container-engine.ts";
import { lacking, type ProgramName } from "./debian.ts";

export type EngineName = "docker" | "podman";

const needed: Record<EngineName, readonly ProgramName[]> = {
  docker: ["dockerd", "rootlesskit", "slirp4netns", "newuidmap", "runc", "busybox"],
  podman: ["podman", "slirp4netns", "runc", "busybox"],
};

/** Empty where that engine can run. */
export function lackingFor(engine: EngineName): string {
  return lacking(needed[engine]) || lackingNamespaces();
}

/** A kind of container engine -> what this machine lacks for it, in words for a test's title. */
import { test } from "bun:test";
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

/**
 * `test`, for behaviour in which engines have shown no difference: the suite runs it for Docker, and
 * `test/soak/engines.ts` for each. Minutes of every run of the suite would go to the other's.
 */
export function alike(engine: EngineName): (...args: Parameters<typeof test>) => void {
  const isRun = engine === "docker" || process.env.ENGINES === "whole";
  return isRun ? test : () => {};
}

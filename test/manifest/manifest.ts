/** The text of one locald.toml -> what it declares, or its mistakes. */
import { readLayer } from "../../src/manifest/layer.ts";
import type { ProjectSpec, ServiceSpec } from "../../src/manifest/project.ts";
import { type ReadManifest, readManifest } from "../../src/manifest/read/read-manifest.ts";
import type { ManifestOptions } from "../../src/manifest/read/options.ts";

export const directory = "/home/ada/shop";

export function read(text: string, options: Partial<ManifestOptions> = {}): ReadManifest {
  const layers = [readLayer(text, { name: "locald.toml" })];
  return readManifest({ directory, layers, envFiles: new Map(), ...options });
}

export function project(text: string, options: Partial<ManifestOptions> = {}): ProjectSpec {
  const its = read(text, options);
  if (its.kind === "project") return its.project;
  throw new Error(its.mistakes.join("\n"));
}

export function service(text: string, name: string): ServiceSpec {
  return project(text).services.find((its) => its.name === name)!;
}

export function mistakes(text: string, options: Partial<ManifestOptions> = {}): string[] {
  const its = read(text, options);
  return its.kind === "mistakes" ? its.mistakes : [];
}

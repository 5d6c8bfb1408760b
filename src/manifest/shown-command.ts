/** A service -> the words by which lists say what runs: its command, behind the image of a container. Pure. */
import type { ServiceSpec } from "./project.ts";

export function shownCommand({ own, command }: Pick<ServiceSpec, "own" | "command">): string {
  if (own?.kind !== "container") return command;
  const image = own.image ?? `built from ${own.build?.context ?? "a folder"}:`;
  return `${image} ${command}`.trim().replace(/:$/, "");
}

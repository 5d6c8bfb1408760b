/** A volume of a compose service, in each of its forms -> `name:/path` and the like, or why there is none. Pure. */
import { labelFrom } from "../project-name.ts";
import { readVolume as read } from "../types/container.ts";
import { joinedPath } from "./load.ts";
import type { WrittenService } from "./written.ts";
import type { Node } from "./yaml.ts";

export type ReadVolume = { kind: "volume"; text: string } | { kind: "none"; why: string };

export type VolumeOptions = {
  service: string;
  text(node: Node): string | undefined;
};

export function volumeOf(node: Node, options: VolumeOptions): ReadVolume {
  if (node.kind === "scalar") {
    const parts = (options.text(node) ?? "").split(":");
    if (parts.length > 3) return none("it is no volume of this machine");
    const [source, target, modes = ""] = parts.length === 1 ? ["", parts[0]!] : parts;
    const isReadOnly = modes.split(",").includes("ro");
    return written({ source: source!, target: target!, isReadOnly }, { node, options });
  }
  if (node.kind !== "mapping") return none("expected a text or a mapping");
  const part = (key: string): string => {
    const entry = node.entries.get(key)?.node;
    return (entry === undefined ? undefined : options.text(entry)) ?? "";
  };
  const type = part("type") || "volume";
  if (type !== "volume" && type !== "bind") return none(`${type} has no counterpart`);
  const source = part("source");
  // A bind is a path, whatever it begins with.
  const path = type === "bind" && !/^[./~]/.test(source) ? `./${source}` : source;
  const isReadOnly = part("read_only") === "true";
  return written({ source: path, target: part("target"), isReadOnly }, { node, options });
}

/** Adds the volume, or says why the service cannot have it. */
export function refusalOf(text: string, out: WrittenService): string | undefined {
  const targetOf = (its: string) => read(its, { directory: "/", home: "/" })?.target;
  const target = targetOf(text);
  if (target === undefined) return "expected a name or a path";
  const volumes = (out.get("volumes") as string[] | undefined) ?? [];
  if (volumes.some((its) => targetOf(its) === target)) return `${target} stands twice`;
  out.set("volumes", [...volumes, text]);
  return undefined;
}

type Parts = { source: string; target: string; isReadOnly: boolean };

function written(
  { source, target, isReadOnly }: Parts,
  { node, options: { service } }: { node: Node; options: VolumeOptions },
): ReadVolume {
  if (!target.startsWith("/") || target.includes("\0")) return none("expected a path inside");
  const suffix = isReadOnly ? ":ro" : "";
  if (source === "") {
    return { kind: "volume", text: `${anonymousName(service, target)}:${target}${suffix}` };
  }
  if (/^[./~]/.test(source)) {
    const its = joinedPath(node.file.folder, source);
    if (/^~[^/]/.test(its) || /[:\0]/.test(its)) return none("expected a path on this machine");
    const isWhole = its === "." || /^(?:[/~]|\.\.)/.test(its);
    return { kind: "volume", text: `${isWhole ? its : `./${its}`}:${target}${suffix}` };
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(source)) return none("expected a name or a path");
  return { kind: "volume", text: `${source}:${target}${suffix}` };
}

/** Compose's volumes without a name belong to their service, and to the path. */
function anonymousName(service: string, target: string): string {
  return `${service}-${labelFrom(target) ?? "data"}`;
}

function none(why: string): ReadVolume {
  return { kind: "none", why };
}

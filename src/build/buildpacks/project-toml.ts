/** The folder of an app -> what its project.toml says on builds. */
import { join } from "node:path";
import {
  emptyDescriptor,
  type ProjectDescriptor,
  readDescriptor,
} from "../../manifest/project-descriptor.ts";
import { readText } from "../../system/read-text.ts";
import { printablePath } from "../../text/printable.ts";

export type DescriptorIn =
  | { kind: "descriptor"; descriptor: ProjectDescriptor }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

/** Bytes; a person's has less than 10 KiB. */
const longest = 1024 * 1024;

/** An empty one where there is no such file. `app` is absolute. Never rejects. */
export async function descriptorIn(app: string): Promise<DescriptorIn> {
  const path = join(app, "project.toml");
  const its = await readText(path, { longest });
  if (its.kind === "missing") return { kind: "descriptor", descriptor: emptyDescriptor };
  if (its.kind === "unreadable") {
    return { kind: "failed", why: `${printablePath(path)} cannot be read: ${its.why}` };
  }
  const read = readDescriptor(its.text);
  if (read.kind === "descriptor") return read;
  return { kind: "failed", why: read.mistakes.join("; ") };
}

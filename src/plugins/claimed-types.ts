/** A state directory -> the types of ours that a plugin there has said it knows. */
import { readPlugins } from "./plugins-file.ts";

/** None where the file cannot be used: whoever asks a plugin says so. */
export function claimedTypes(stateDirectory: string): string[] {
  const read = readPlugins(stateDirectory);
  if (read.kind === "broken") return [];
  const { plugins, agreed } = read.kept;
  const all = [...Object.values(plugins), ...Object.values(agreed)];
  return [...new Set(all.flatMap(({ claims }) => claims))];
}

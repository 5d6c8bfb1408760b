/** A component -> the built-in types of services that it says it knows. */
import { newTypes } from "../manifest/types/own.ts";
import { type CallEffects, callPluginEach, type Component, type Ended } from "./call.ts";

export type Claims = { kind: "claims"; types: readonly string[] } | Ended;

/** Asks for a service of each type, without keys. */
export async function claimsOf(component: Component, effects: CallEffects): Promise<Claims> {
  const context = { workspaceId: "localhostess", root: "/" };
  const requests = newTypes.map((type) => ({
    ...{ kind: "detect" as const, context },
    spec: { name: type, type, dependsOn: [], config: [] },
  }));
  const asked = await callPluginEach(component, requests, effects);
  if (asked.kind === "ended") return asked;
  return {
    kind: "claims",
    types: newTypes.filter((_, at) => typeof asked.values[at] === "string"),
  };
}

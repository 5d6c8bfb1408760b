/** A component, and a question -> its answer, or why there is none. Nothing that a plugin does reaches its caller. */
import type { PluginRequest } from "./plan.ts";

export type Component = {
  /** Absolute. */
  path: string;
  /** In hex; a file with another one is not run. */
  sha256: string;
};

export type CallEffects = {
  /** Absolute: what is fetched and transpiled for all projects. */
  cache: string;
};

/** `value` is parsed JSON: of `detect` a string or null, of `apply` `{ tag: "ok" | "err", val }`. */
export type CallOutcome =
  | { kind: "answer"; value: unknown }
  /** A clause to be put behind the plugin's name: `did not answer within 5 s`. */
  | { kind: "ended"; why: string };

export type CallPlugin = (
  component: Component,
  request: PluginRequest,
  effects: CallEffects,
) => Promise<CallOutcome>;

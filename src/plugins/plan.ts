/** A question about a service, and the plan that answers it: shapes only. */

import type { Capability } from "../manifest/plugin-words.ts";

/** The versions of plans that are understood. */
export const irVersions = [1] as const;

export {
  type Capability,
  capabilities,
  isCapability,
  usualCapabilities,
} from "../manifest/plugin-words.ts";

export type Value =
  | { kind: "null" }
  | { kind: "boolean"; value: boolean }
  | { kind: "text"; value: string }
  | { kind: "signed" | "unsigned"; value: bigint }
  | { kind: "float"; value: number }
  | { kind: "bytes"; value: Uint8Array }
  | { kind: "path" | "url" | "datetime"; value: string };

/** A way into the output of a step. */
export type Selector = { field: string } | { index: number };

export type Get = { kind: "get"; stepId: string; path: readonly Selector[] };

export type Expression = { kind: "literal"; value: Value } | Get;

/** Keys in order. One with dots is in a table or a list: `env.LEVEL`, `args.0`. */
export type Entries = readonly (readonly [string, Expression])[];

export type Operation =
  /** Output: `name`; `port`, where one is set. `runtime` is a type of services in locald.toml. */
  | { kind: "declare-service"; name: string; runtime: string; settings: Entries }
  /** Output: `port`, and `host`, which is 127.0.0.1. */
  | { kind: "allocate-port"; name: string }
  /** Output: `image`, the reference. */
  | { kind: "oci-pull"; image: string }
  /** `{{name}}` in the template stands for one of the values. Output: `rendered`. */
  | { kind: "render-template"; template: string; values: Entries }
  /** Output: `path`. `path` is relative to the project's folder. */
  | { kind: "write-file"; path: string; contents: Expression };

export type Step = { id: string; needs: readonly string[]; operation: Operation };

export type Plan = {
  irVersion: number;
  requestedCapabilities: readonly string[];
  steps: readonly Step[];
};

/** Sentences of the plugin's own. */
export type Diagnostics = { warnings: readonly string[]; errors: readonly string[] };

/** A service as a file declares it. */
export type PluginSpec = {
  name: string;
  /** The word in `type`. */
  type: string;
  dependsOn: readonly string[];
  /** Its other keys; one in a table or a list has dots: `env.LEVEL`, `args.0`. */
  config: readonly (readonly [string, Value])[];
};

export type PluginContext = {
  /** The project's name. */
  workspaceId: string;
  /** Absolute: the project's folder. */
  root: string;
};

export type PluginRequest =
  | { kind: "detect"; context: PluginContext; spec: PluginSpec }
  | {
      kind: "apply";
      context: PluginContext;
      spec: PluginSpec;
      irVersions: readonly number[];
      granted: readonly Capability[];
    };

/** Steps in few words -> a plan as a component gives it. */

type Lit = { tag: "lit"; val: unknown };

export const text = (val: string): Lit => ({ tag: "lit", val: { tag: "text", val } });
export const unsigned = (val: number | string | bigint): Lit => ({
  tag: "lit",
  val: { tag: "unsigned", val },
});
export const literal = (tag: string, val?: unknown): Lit => ({ tag: "lit", val: { tag, val } });
export const get = (stepId: string, ...fields: (string | number)[]) => ({
  tag: "get",
  val: {
    stepId,
    path: fields.map((val) => ({ tag: typeof val === "string" ? "field" : "index", val })),
  },
});

type Entries = Record<string, unknown>;

const step = (id: string, op: unknown, needs: readonly string[] = []) => ({ id, needs, op });

export const service = (
  id: string,
  { name = id, runtime = "exec", needs, ...settings }: Entries & { needs?: readonly string[] } = {},
) => step(id, declared({ name, runtime, settings: Object.entries(settings) }), needs);

export const declared = (val: unknown) => ({ tag: "declare-service", val });
export const port = (id: string, name = id, needs?: readonly string[]) =>
  step(id, { tag: "allocate-port", val: { name } }, needs);
export const image = (id: string, its: string) =>
  step(id, { tag: "oci-pull", val: { image: its } });
export const template = (
  id: string,
  its: string,
  { needs, ...values }: Entries & { needs?: readonly string[] } = {},
) =>
  step(
    id,
    { tag: "render-template", val: { template: its, values: Object.entries(values) } },
    needs,
  );
export const file = (id: string, path: string, contents: unknown, needs?: readonly string[]) =>
  step(id, { tag: "write-file", val: { path, contents } }, needs);

export const plan = (
  steps: readonly unknown[],
  { requested = [], version = 1 }: { requested?: readonly string[]; version?: number } = {},
) => ({ irVersion: version, requestedCapabilities: requested, steps });

/** A service that is right, so that the plan has one. */
export const web = service("web", { command: text("bun dev") });

/** The steps of a plan, in order, and a port for each that asks for one -> the output of each. Pure. */
import type { Expression, Step } from "./plan.ts";
import { readTemplate, rendered } from "./template.ts";

/** A value as a file has it. Undefined: there is none, or none that a file can have. */
export type Plain = string | number | boolean | Uint8Array | undefined;

export type Output = Readonly<Record<string, Plain>>;

/** By the ids of steps. */
export type Outputs = ReadonlyMap<string, Output>;

export type EvaluateOptions = {
  /** By the name of the port. */
  portOf(name: string): number;
};

/** Whatever is wrong with a step is missing from the outputs. */
export function outputsOf(order: readonly Step[], { portOf }: EvaluateOptions): Outputs {
  const outputs = new Map<string, Output>();
  for (const { id, operation } of order) {
    if (!outputs.has(id)) outputs.set(id, outputOf(operation, { outputs, portOf }));
  }
  return outputs;
}

function outputOf(
  operation: Step["operation"],
  { outputs, portOf }: EvaluateOptions & { outputs: Outputs },
): Output {
  switch (operation.kind) {
    case "allocate-port":
      return { port: portOf(operation.name), host: "127.0.0.1" };
    case "oci-pull":
      return { image: operation.image };
    case "write-file":
      return { path: operation.path };
    case "render-template":
      return { rendered: renderedText(operation, outputs) };
    case "declare-service": {
      const port = operation.settings.find(([key]) => key === "port")?.[1];
      const its = port === undefined ? undefined : plainOf(port, outputs);
      return { name: operation.name, ...(its === undefined ? {} : { port: its }) };
    }
  }
}

/** Bytes of a template that is filled in: as many as a file may have. */
export const longestRendered = 256 * 1024;

/** Undefined where it is longer: a value may be long, and be there often. */
function renderedText(
  { template, values }: Step["operation"] & { kind: "render-template" },
  outputs: Outputs,
): string | undefined {
  const texts = new Map(values.map(([key, its]) => [key, String(plainOf(its, outputs) ?? "")]));
  const { parts } = readTemplate(template);
  const known = parts.filter((part) => part.kind === "text" || texts.has(part.name));
  let size = 0;
  for (const part of known) {
    size += Buffer.byteLength(part.kind === "text" ? part.text : texts.get(part.name)!);
    if (size > longestRendered) return undefined;
  }
  return rendered(known, texts);
}

export function plainOf(its: Expression, outputs: Outputs): Plain {
  if (its.kind === "get") {
    const [selector] = its.path;
    const output = outputs.get(its.stepId);
    const isField = its.path.length === 1 && selector !== undefined && "field" in selector;
    if (output === undefined || !isField || !Object.hasOwn(output, selector.field))
      return undefined;
    return output[selector.field];
  }
  const { value } = its;
  switch (value.kind) {
    case "null":
      return undefined;
    case "signed":
    case "unsigned": {
      const number = Number(value.value);
      return Number.isSafeInteger(number) ? number : undefined;
    }
    case "float":
      return Number.isFinite(value.value) ? value.value : undefined;
    default:
      return value.value;
  }
}

/** Variables and words of a command are texts, also where a port is meant. */
export function settingOf(key: string, value: Plain): Plain {
  const isText = key.startsWith("env.") || key.startsWith("args.");
  return isText && (typeof value === "number" || typeof value === "boolean")
    ? String(value)
    : value;
}

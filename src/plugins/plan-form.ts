/** A plan -> the JSON by which other programs have it, as locald's `plugin inspect` prints one. Pure. */
import type { Entries, Expression, Operation, Plan, Value } from "./plan.ts";

export function planForm({ irVersion, requestedCapabilities, steps }: Plan): object {
  return {
    ir_version: irVersion,
    requested_capabilities: requestedCapabilities,
    steps: steps.map(({ id, needs, operation: { kind, ...its } }) => ({
      id,
      needs,
      op: { [kind]: operationForm({ kind, ...its } as Operation) },
    })),
  };
}

function operationForm(operation: Operation): object {
  switch (operation.kind) {
    case "declare-service": {
      const { name, runtime, settings } = operation;
      return { name, runtime, settings: entriesForm(settings) };
    }
    case "render-template": {
      const { template, values } = operation;
      return { template, values: entriesForm(values) };
    }
    case "write-file":
      return { path: operation.path, contents: expressionForm(operation.contents) };
    case "allocate-port":
      return { name: operation.name };
    case "oci-pull":
      return { image: operation.image };
  }
}

function entriesForm(entries: Entries): unknown[] {
  return entries.map(([key, its]) => [key, expressionForm(its)]);
}

function expressionForm(its: Expression): object {
  if (its.kind === "literal") return { lit: valueForm(its.value) };
  return { get: { step_id: its.stepId, path: its.path } };
}

function valueForm(value: Value): unknown {
  switch (value.kind) {
    case "null":
      return "null";
    case "signed":
    case "unsigned": {
      const number = Number(value.value);
      // JSON has no whole numbers of 64 bits.
      return { [value.kind]: Number.isSafeInteger(number) ? number : String(value.value) };
    }
    case "bytes":
      return { bytes: [...value.value] };
    default:
      return { [value.kind]: value.value };
  }
}

/** A plan without mistakes, and its ports -> services as a file has them, files and images. Pure. */
import type { NewType } from "../manifest/types/own.ts";
import { outputsOf, plainOf } from "./evaluate.ts";
import type { Step } from "./plan.ts";
import { serviceTable } from "./service-settings.ts";

export type AppliedPlan = {
  /** By name, in the keys of locald.toml. */
  services: Readonly<Record<string, Record<string, unknown>>>;
  /** Relative to the project's folder. */
  files: readonly { path: string; contents: string | Uint8Array }[];
  images: readonly string[];
};

/** `ports`: by the names in `portNames`. */
export function appliedPlan(
  order: readonly Step[],
  ports: Readonly<Record<string, number>>,
): AppliedPlan {
  const outputs = outputsOf(order, { portOf: (name) => ports[name]! });
  const services: Record<string, Record<string, unknown>> = {};
  const files: AppliedPlan["files"][number][] = [];
  const images = new Set<string>();
  for (const { operation } of order) {
    if (operation.kind === "declare-service") {
      const { name, runtime, settings } = operation;
      const table = serviceTable(settings, { type: runtime as NewType, outputs });
      services[name] = table;
      if (typeof table.image === "string") images.add(table.image);
    } else if (operation.kind === "oci-pull") images.add(operation.image);
    else if (operation.kind === "write-file") {
      const contents = plainOf(operation.contents, outputs);
      files.push({
        path: operation.path,
        contents: contents instanceof Uint8Array ? contents : String(contents),
      });
    }
  }
  return { services, files, images: [...images] };
}

/** The names of the ports that a plan asks for. */
export function portNames(order: readonly Step[]): string[] {
  return order.flatMap(({ operation }) =>
    operation.kind === "allocate-port" ? [operation.name] : [],
  );
}

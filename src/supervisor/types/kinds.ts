/** A service -> its kind. Pure. */
import type { ServiceSpec } from "../../manifest/project.ts";
import { built } from "./built.ts";
import { command } from "./command.ts";
import { container } from "./container.ts";
import type { Kind } from "./kind.ts";
import { postgres } from "./postgres.ts";
import { site } from "./site.ts";
import { store } from "./store.ts";

const kinds = { postgres, store, container, site, built } as const;

export function kindOf({ own }: Pick<ServiceSpec, "own">): Kind {
  return own === undefined ? command : kinds[own.kind];
}

/** A container -> the name that it is reached by, and where that is from. Pure. */
import { labelFrom, nameMistake } from "../manifest/project-name.ts";
import type { ServiceCheckout } from "../routes/checkout.ts";
import { isNumeric } from "../text/numeric-label.ts";
import { printable } from "../text/printable.ts";
import type { Container } from "./container.ts";

/** The git checkout that a Compose project was started in. */
export type ComposeCheckout = ServiceCheckout & {
  /** The main checkout's folder. */
  main?: string | undefined;
};

export type ContainerName = {
  name: string;
  /** The source of the name. */
  by: "label" | "compose" | "name";
  /** A clause for a person. */
  because: string;
  /** A sentence about a label that is no name. */
  warning?: string;
};

export type NamingContainers = {
  /** Undefined: the folder is in none. `id`: the container's, whose answer stays the same for as long as it runs. */
  checkout?: ((folder: string, id: string) => ComposeCheckout | undefined) | undefined;
};

/** RFC 1035: 253 characters, and `.localhost` has to fit too. A port in front takes 6. */
const longestName = 253 - ".localhost".length - 6;

/** `localhostess.name=-`: none, as with `NAME=-`. */
const unwanted = "-";

/** The label, else the service and project of Compose, else the container's own name. Undefined: it has none. */
export function containerName(
  container: Container,
  options: NamingContainers = {},
): ContainerName | undefined {
  const { labels } = container;
  const shown = printable(container.name, 80);
  let warning: string | undefined;
  if (labels.name === unwanted) return undefined;
  if (labels.name !== undefined) {
    const name = labels.name.toLowerCase().replace(/(?<=.)\.localhost$/, "");
    if (isName(name)) {
      return { name, by: "label", because: `label localhostess.name of container ${shown}` };
    }
    warning = `its label localhostess.name=${printable(labels.name, 80)} is not a name: ${nameMistake(name) ?? "it cannot be in an address"}`;
  }
  const other = composeName(container, composeCheckout(container, options)) ?? ownName(container);
  return other === undefined || warning === undefined ? other : { ...other, warning };
}

export function composeCheckout(
  { labels: { folder }, id }: Container,
  { checkout }: NamingContainers,
): ComposeCheckout | undefined {
  return folder?.startsWith("/") ? checkout?.(folder, id) : undefined;
}

function isName(name: string): boolean {
  return (
    nameMistake(name) === undefined &&
    name.length <= longestName &&
    name !== "localhost" &&
    name.split(".").every((part) => part.length <= 63) &&
    !isNumeric(name.slice(name.lastIndexOf(".") + 1))
  );
}

/** `api` of `shop` is `api.shop`, as a service of a project is. */
function composeName(
  { labels, name: own }: Container,
  checkout: ComposeCheckout | undefined,
): ContainerName | undefined {
  const { service, project, oneOff } = labels;
  if (service === undefined || project === undefined || /^true$/i.test(oneOff ?? "")) {
    return undefined;
  }
  const first = labelFrom(service);
  const last = projectLabel(project, checkout);
  if (first === undefined || last === undefined) return undefined;
  const parts = [first, last];
  const label = checkout?.label;
  if (label !== undefined) parts.unshift(label);
  const name = parts.join(".");
  if (!isName(name)) return undefined;
  const its = `service ${printable(service, 80)} of Compose project ${printable(project, 80)}`;
  return {
    name,
    by: "compose",
    because: `${its}, container ${printable(own, 80)}${label === undefined ? "" : `, in worktree ${label}`}`,
  };
}

/**
 * Compose takes a project's name from its folder. In a linked worktree, whose folder has another name, the project is
 * still the main checkout's: its label is in front already.
 */
function projectLabel(project: string, tree: ComposeCheckout | undefined): string | undefined {
  const label = labelFrom(project);
  if (tree?.label === undefined || tree.main === undefined) return label;
  if (bare(project) !== bare(lastPart(tree.root))) return label;
  return labelFrom(lastPart(tree.main)) ?? label;
}

/** Compose leaves out what a project's name may not have, where an address has a hyphen. */
function bare(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "");
}

function lastPart(path: string): string {
  return path.replace(/\/+$/, "").replace(/^.*\//, "");
}

/** `shop_db_1` is `shop-db-1`; a dot stays one. */
function ownName({ name: own }: Container): ContainerName | undefined {
  const name = own
    .split(".")
    .flatMap((part) => labelFrom(part) ?? [])
    .join(".");
  const usable = isName(name) ? name : labelFrom(`c-${own}`);
  if (usable === undefined) return undefined;
  return { name: usable, by: "name", because: `name of container ${printable(own, 80)}` };
}

/** The containers of all engines -> a claim for each published port, each with a name of its own. Pure. */
import { type ServiceCheckout, serviceCheckout } from "../routes/checkout.ts";
import type { Claim } from "../routes/claim.ts";
import { printable, printablePath } from "../text/printable.ts";
import type { Container, PublishedPort } from "./container.ts";
import {
  type ContainerName,
  composeCheckout,
  containerName,
  type NamingContainers,
} from "./container-name.ts";
import { imageWord, mainPort, otherThanHttp } from "./main-port.ts";

export type EngineContainers = {
  /** The user that the engine runs as: its ports' listeners run as that user. */
  owner: number;
  containers: readonly Container[];
  /** A sentence on every name of an engine that has not answered. */
  warning?: string | undefined;
  /** The containers may be others by now. */
  isDoubtful?: boolean;
};

/** Names of one container. A hundred published ports are a range that nobody types. */
const mostNames = 16;

type Named = ContainerName & {
  container: Container;
  ports: readonly PublishedPort[];
  engine: EngineContainers;
  checkout: ServiceCheckout | undefined;
};

/** In the order of their names. */
export function containerClaims(
  engines: readonly EngineContainers[],
  options: NamingContainers = {},
): Claim[] {
  const claims = distinct(namedContainers(engines, options)).map(claimsOf);
  const taken = new Set<string>();
  // A name of its own counts more than one that is made of a port: `80.api` may be a label.
  return [...claims.flatMap(([main]) => main!), ...claims.flatMap(([, ...ports]) => ports)]
    .filter(({ name }) => !taken.has(name) && taken.add(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A container that two engines list is one: they are one engine, found by two paths. */
function namedContainers(engines: readonly EngineContainers[], options: NamingContainers): Named[] {
  const seen = new Set<string>();
  const named: Named[] = [];
  for (const engine of engines) {
    const own = portHolders(engine.containers);
    for (const container of engine.containers) {
      if (seen.has(container.id)) continue;
      seen.add(container.id);
      const ports = container.ports.filter((port) => own.get(keyOf(port)) === container);
      const isHere = ports.length > 0 || container.process !== undefined;
      const name = isHere ? containerName(container, options) : undefined;
      const its = composeCheckout(container, options);
      const checkout = its && serviceCheckout(its);
      if (name !== undefined) named.push({ ...name, container, ports, engine, checkout });
    }
  }
  return named;
}

function keyOf({ port, addresses }: PublishedPort): string {
  return `${port} ${addresses.join()}`;
}

/**
 * The one container that a published port is of. Podman lists a pod's ports with each of its containers: the one whose
 * image is such a server has it, else the oldest, and the pause container only where it is alone.
 */
function portHolders(containers: readonly Container[]): Map<string, Container> {
  const holders = new Map<string, Container>();
  const fitness = (port: PublishedPort, its: Container): number => {
    if (/^(?:podman-pause|pause)$/.test(imageWord(its.image))) return 0;
    const speaks = otherThanHttp({ ...port, inside: 0 }, its);
    return speaks === otherThanHttp(port, { image: "" }) ? 2 : 1;
  };
  for (const container of containers) {
    for (const port of container.ports) {
      const before = holders.get(keyOf(port));
      const better =
        before === undefined ||
        fitness(port, container) > fitness(port, before) ||
        (fitness(port, container) === fitness(port, before) && isOlder(container, before));
      if (better) holders.set(keyOf(port), container);
    }
  }
  return holders;
}

function isOlder(a: Container, b: Container): boolean {
  return a.createdAt - b.createdAt < 0 || (a.createdAt === b.createdAt && a.id < b.id);
}

/**
 * The first of several with one name keeps it, and the others get a number. First is the lowest number within a service
 * of Compose; the newest with one label, as with NAME; and else the oldest.
 */
function distinct(all: readonly Named[]): Named[] {
  const order = (a: Named, b: Named): number => {
    if (a.by === "label" && b.by === "label") return isOlder(a.container, b.container) ? 1 : -1;
    if (a.by !== b.by) return rankOf(a) - rankOf(b);
    return numberOf(a) - numberOf(b) || (isOlder(a.container, b.container) ? -1 : 1);
  };
  const groups = Map.groupBy(all, ({ name }) => name);
  const taken = new Set(groups.keys());
  return [...groups.values()].flatMap((group) => {
    const [first, ...rest] = [...group].sort(order);
    const others = rest.map((its) => {
      const name = numbered(its, taken);
      taken.add(name);
      const warning = `container ${printable(first!.container.name, 80)} has the name ${its.name}`;
      // Several containers of one service are as its file wants them.
      const wanted = its.by === "compose" && first!.by === "compose";
      return { ...its, name, warning: its.warning ?? (wanted ? undefined : warning) };
    });
    return [first!, ...others] as Named[];
  });
}

function rankOf({ by }: Named): number {
  return ["label", "compose", "name"].indexOf(by);
}

function numberOf({ container }: Named): number {
  const { number } = container.labels;
  return number !== undefined && /^\d{1,5}$/.test(number) ? Number(number) : 1;
}

function numbered(its: Named, taken: ReadonlySet<string>): string {
  const [first, ...rest] = its.name.split(".");
  for (let number = Math.max(2, numberOf(its)); ; number++) {
    const name = [`${first!.slice(0, 57)}-${number}`, ...rest].join(".");
    if (!taken.has(name)) return name;
  }
}

function claimsOf(named: Named): Claim[] {
  const { container, engine, ports } = named;
  if (ports.length === 0) return [hostClaim(named)];
  const main = mainPort({ ...container, ports });
  const rest = firstOfEach(ports.filter(({ inside }) => inside !== main.port!.inside));
  const others = rest.slice(0, mostNames - 1);
  const common = [
    ...(named.warning === undefined ? [] : [named.warning]),
    ...(main.warning === undefined ? [] : [main.warning]),
    ...(container.paused ? ["the container is paused, and answers nothing"] : []),
    ...(engine.warning === undefined ? [] : [engine.warning]),
  ];
  const left = rest.length - others.length;
  const without = left > 0 ? [`${left} more published ports have no name`] : [];
  return [
    claimOf(main.port!, { ...named, warnings: [...common, ...without] }),
    ...others.map((port) =>
      claimOf(port, {
        ...named,
        name: `${port.inside}.${named.name}`,
        because: `port ${port.inside} of container ${printable(container.name, 80)}`,
        warnings: common,
      }),
    ),
  ];
}

/** One port inside may be published twice, or at a port of its own for IPv6: it is one server. */
function firstOfEach(ports: readonly PublishedPort[]): PublishedPort[] {
  return [...Map.groupBy(ports, ({ inside }) => inside).values()].map(([first]) => first!);
}

/** A container on this machine's network publishes nothing: its processes have the ports. */
function hostClaim({ name, because, container, engine, warning, checkout }: Named): Claim {
  return {
    name,
    source: "container",
    because: `${because}, on this machine's network`,
    place: { kind: "process", process: container.process! },
    ...textsOf(container),
    checkout,
    owners: undefined,
    warnings: [warning, engine.warning].filter((its) => its !== undefined),
  };
}

function textsOf({
  image,
  command,
  labels: { folder },
  createdAt,
}: Container): Pick<Claim, "command" | "cwd" | "startedAt"> {
  // An image without a tag is shown as docker shows it.
  const shown = image.replace(/^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}$/, "$1");
  return {
    command: printable(command === "" ? shown : `${shown} ${command}`, 200),
    cwd: folder === undefined ? undefined : printablePath(folder),
    startedAt: createdAt,
  };
}

function claimOf(
  port: PublishedPort,
  { name, because, container, engine, warnings, checkout }: Named & { warnings: readonly string[] },
): Claim {
  const speaks = otherThanHttp(port, container);
  const address = addressOf(port);
  const away =
    address === undefined || isLoopback(address)
      ? []
      : [`it is published at ${address} alone, and is dialled there`];
  return {
    name,
    source: "container",
    because: speaks === undefined ? because : `${because}, which speaks ${speaks}`,
    place: { kind: "port", port: port.port, address },
    ...textsOf(container),
    checkout,
    owners: [...new Set([0, engine.owner])],
    ...(engine.isDoubtful ? { isDoubtful: true } : {}),
    warnings: [...warnings, ...away],
  };
}

/** Undefined: any address of this machine. */
function addressOf({ addresses }: PublishedPort): string | undefined {
  if (addresses.some((its) => its === "0.0.0.0" || its === "::")) return undefined;
  return addresses.find(isLoopback) ?? addresses[0];
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

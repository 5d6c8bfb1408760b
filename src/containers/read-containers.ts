/** The text of an engine's `GET /containers/json` -> the containers that run, or why they cannot be known. Pure. */
import type { Container, ContainerLabels, PublishedPort } from "./container.ts";

export type ReadContainers =
  | { kind: "containers"; containers: Container[] }
  /** `why` is a clause about the engine. */
  | { kind: "bad"; why: string };

/** Far more than a machine runs: Docker's own bridge network has room for 65,534. */
const mostContainers = 2000;

/** Entries of one container's ports. `-p 10000-20000:10000-20000` makes twenty thousand. */
const mostPorts = 512;

/** Names of one container: its own, and one for each link to it. */
const mostNames = 100;

/** PATH_MAX. */
const longestText = 4096;

const labelKeys = {
  name: ["localhostess.name"],
  port: ["localhostess.port"],
  service: ["com.docker.compose.service", "io.podman.compose.service"],
  project: ["com.docker.compose.project", "io.podman.compose.project"],
  number: ["com.docker.compose.container-number", "io.podman.compose.container-number"],
  oneOff: ["com.docker.compose.oneoff", "io.podman.compose.oneoff"],
  folder: ["com.docker.compose.project.working_dir", "io.podman.compose.project.working_dir"],
} as const satisfies Record<keyof ContainerLabels, readonly string[]>;

type Table = Readonly<Record<string, unknown>>;

/** An entry that says nothing of use is left out; the others count. */
export function readContainers(text: string): ReadContainers {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A SyntaxError, or a RangeError where it is nested a million deep.
    return { kind: "bad", why: "it answered with something that is not JSON" };
  }
  if (!Array.isArray(value)) {
    return { kind: "bad", why: "it answered with something that is no list of containers" };
  }
  const containers = value.slice(0, mostContainers).flatMap((entry) => containerIn(entry) ?? []);
  return { kind: "containers", containers };
}

function containerIn(entry: unknown): Container | undefined {
  if (!isTable(entry)) return undefined;
  const id = textIn(entry.Id);
  const name = ownNameIn(entry.Names);
  if (!id || !name) return undefined;
  const state = textIn(entry.State);
  // Podman lists a container that is being made, too; Docker's oldest versions have no State.
  if (state !== undefined && state !== "running" && state !== "paused") return undefined;
  return {
    id,
    name,
    image: textIn(entry.Image) ?? "",
    command: textIn(entry.Command) ?? firstText(entry.Command) ?? "",
    labels: labelsIn(entry.Labels),
    paused: state === "paused",
    hostNetwork: isOnHost(entry),
    createdAt: momentIn(entry.Created),
    ports: portsIn(entry.Ports),
  };
}

/** Docker lists links, too: `/web/db` is what `web` calls the container `/db`. */
function ownNameIn(names: unknown): string | undefined {
  if (!Array.isArray(names)) return undefined;
  const all = names.slice(0, mostNames).flatMap((name) => textIn(name)?.replace(/^\/+/, "") ?? []);
  return all.find((name) => !name.includes("/")) ?? all[0];
}

function labelsIn(labels: unknown): ContainerLabels {
  if (!isTable(labels)) return {};
  return Object.fromEntries(
    Object.entries(labelKeys).flatMap(([key, names]) => {
      const value = names.map((name) => textIn(labels[name])).find(Boolean);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** Podman's list has no HostConfig; a container without any network of its own is on the host's, or on none. */
function isOnHost({ HostConfig, NetworkSettings }: Table): boolean {
  if (isTable(HostConfig) && HostConfig.NetworkMode !== undefined) {
    return HostConfig.NetworkMode === "host";
  }
  if (!isTable(NetworkSettings)) return true;
  const networks = isTable(NetworkSettings.Networks) ? Object.keys(NetworkSettings.Networks) : [];
  return networks.length === 0 || networks.includes("host");
}

/** Docker: seconds since the Unix epoch. */
function momentIn(created: unknown): number {
  return typeof created === "number" && Number.isFinite(created) && created > 0
    ? Math.floor(created) * 1000
    : 0;
}

function portsIn(entries: unknown): PublishedPort[] {
  if (!Array.isArray(entries)) return [];
  const found = new Map<string, { inside: number; port: number; addresses: Set<string> }>();
  for (const entry of entries.slice(0, mostPorts)) {
    if (!isTable(entry)) continue;
    const inside = portOf(entry.PrivatePort);
    const port = portOf(entry.PublicPort);
    if (entry.Type !== "tcp" || inside === undefined || port === undefined) continue;
    const key = `${inside} ${port}`;
    const its = found.get(key) ?? { inside, port, addresses: new Set() };
    its.addresses.add(addressOf(entry.IP));
    found.set(key, its);
  }
  return [...found.values()]
    .map((its) => ({ ...its, addresses: [...its.addresses].sort(ipv4First) }))
    .sort(
      (a, b) =>
        a.inside - b.inside || ipv4First(a.addresses[0]!, b.addresses[0]!) || a.port - b.port,
    );
}

/** Podman leaves the address out where it is any. */
function addressOf(ip: unknown): string {
  return typeof ip === "string" && /^[0-9a-f.:]{2,45}$/i.test(ip) ? ip.toLowerCase() : "0.0.0.0";
}

function ipv4First(a: string, b: string): number {
  return Number(a.includes(":")) - Number(b.includes(":"));
}

function portOf(value: unknown): number | undefined {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535
    ? Number(value)
    : undefined;
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, longestText) : undefined;
}

function firstText(value: unknown): string | undefined {
  return Array.isArray(value) ? textIn(value[0]) : undefined;
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

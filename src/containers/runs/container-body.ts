/** A container that is to run -> the bodies of the requests that make it, its volumes and its network. Pure. */
import { type ContainerPlan, labelNames, type RunLabels } from "./container-plan.ts";

/** Parts that an engine may not be able to give, and that a container can do without. */
export const dispensable = ["init", "gateway", "network", "bridge"] as const;

export type Dispensable = (typeof dispensable)[number];

/** The name inside for this machine, as Docker Desktop has it. */
const gatewayHost = "host.docker.internal:host-gateway";

/** Bytes of the engine's own copy of the output: ours is the log that people read. */
const logLimits = { "max-size": "10m", "max-file": "2" };

export type BodyOptions = {
  image: string;
  without: ReadonlySet<Dispensable>;
  /** The name of the project's network; undefined: the engine's default. */
  network: string | undefined;
  engine: "docker" | "podman";
};

export function containerBody(
  plan: ContainerPlan,
  { image, without, network, engine }: BodyOptions,
): object {
  const { spec, words, env, labels } = plan;
  const ports = publishedPorts(plan);
  return {
    Image: image,
    ...(words.length === 0 ? {} : { Cmd: words }),
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: spec.entrypoint }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.workdir === undefined ? {} : { WorkingDir: spec.workdir }),
    ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
    ...{ Tty: plan.tty, OpenStdin: plan.tty, AttachStdout: true, AttachStderr: true },
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: runLabels(labels),
    ExposedPorts: Object.fromEntries(ports.map(({ key }) => [key, {}])),
    // We do its check ourselves, sooner than an engine does; Podman needs systemd for it.
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      AutoRemove: false,
      RestartPolicy: { Name: "no" },
      // Without one, a program that is PID 1 ignores SIGTERM unless it handles it, and orphans stay.
      Init: !without.has("init"),
      PortBindings: bindings(ports),
      Mounts: spec.volumes.map(({ source, kind, target, readOnly }) => ({
        ...{ Type: kind === "named" ? "volume" : "bind", Target: target, ReadOnly: readOnly },
        Source: kind === "named" ? volumeName(plan, source) : source,
      })),
      ...(plan.memory === undefined ? {} : { Memory: plan.memory }),
      ...(without.has("gateway") ? {} : { ExtraHosts: [gatewayHost] }),
      ...networkMode({ network, without, engine }),
      ...(engine === "docker" ? { LogConfig: { Type: "json-file", Config: logLimits } } : {}),
    },
    ...(network === undefined
      ? {}
      : {
          NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [labels.service] } } },
        }),
  };
}

/** Podman without a bridge has a network for each container alone; Docker has none that publishes ports. */
function networkMode({
  network,
  without,
  engine,
}: Pick<BodyOptions, "network" | "without" | "engine">): object {
  if (network !== undefined) return { NetworkMode: network };
  return without.has("bridge") && engine === "podman" ? { NetworkMode: "slirp4netns" } : {};
}

type Published = { key: string; hostPort: string };

function publishedPorts({ spec, port }: ContainerPlan): Published[] {
  const own =
    spec.inside === undefined || port === undefined
      ? []
      : [{ key: `${spec.inside}/tcp`, hostPort: String(port) }];
  const others = spec.ports.map(({ inside, outside, protocol }) => ({
    key: `${inside}/${protocol}`,
    hostPort: outside === undefined ? "" : String(outside),
  }));
  return [...own, ...others];
}

/** On this machine alone, whatever the engine's default is: a database must not be the whole network's. */
function bindings(ports: readonly Published[]): Record<string, object[]> {
  const all: Record<string, object[]> = {};
  for (const { key, hostPort } of ports) {
    all[key] = [...(all[key] ?? []), { HostIp: "127.0.0.1", HostPort: hostPort }];
  }
  return all;
}

/** `name` is none: the service's own address leads there, and a second row in lists would say the same. */
export function runLabels(its: RunLabels): Record<string, string> {
  const { run, owner, directory, service, client } = its;
  return {
    ...(client === undefined ? {} : { [labelNames.client]: client }),
    [labelNames.run]: run,
    [labelNames.owner]: owner,
    [labelNames.directory]: directory,
    [labelNames.service]: service,
    [labelNames.name]: "-",
  };
}

/** Labels that find all containers of the service, of whatever run. */
export function serviceFilters({ owner, directory, service }: RunLabels): Record<string, string> {
  return {
    [labelNames.owner]: owner,
    [labelNames.directory]: directory,
    [labelNames.service]: service,
  };
}

/** Labels of what several services of a project share. */
export function projectLabels({
  owner,
  directory,
}: Pick<RunLabels, "owner" | "directory">): Record<string, string> {
  return { [labelNames.owner]: owner, [labelNames.directory]: directory };
}

/** For people who list containers; nothing of ours is found by it. Unique, as a run id is. */
export function containerName({ project, labels: { service, run } }: ContainerPlan): string {
  return `${prefixOf(project)}-${wordOf(service)}-${run.slice(-8)}`;
}

/** A volume of one checkout, whose services share what they call by one name: another checkout's data is another's. */
export function volumeName(
  { project, labels }: Pick<ContainerPlan, "project" | "labels">,
  source: string,
): string {
  return `${prefixOf(project)}-${hashOf(labels)}-${source}`;
}

export function volumeBody(plan: ContainerPlan, source: string): object {
  return { Name: volumeName(plan, source), Labels: projectLabels(plan.labels) };
}

export function networkName({ project, labels }: ContainerPlan): string {
  return `${prefixOf(project)}-${hashOf(labels)}`;
}

export function networkBody(plan: ContainerPlan): object {
  return {
    ...{ Name: networkName(plan), CheckDuplicate: true, Driver: "bridge" },
    Labels: projectLabels(plan.labels),
  };
}

function prefixOf(project: string): string {
  return `localhostess-${wordOf(project)}`;
}

/** Engines take letters, digits, dots, hyphens and underscores. */
export function wordOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 100);
}

/** A daemon in a sandbox has the same folder, and none of the other's data. */
export function hashOf({ owner, directory }: Pick<RunLabels, "owner" | "directory">): string {
  const text = `${owner} ${directory}`;
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 8);
}

/** The port of another program: no other try at once helps. */
const portTaken =
  /already allocated|address already in use|port is already|ports are not available/i;

const bridges = /network|bridge|endpoint|iptables|nftables|\bcni\b|netavark|aardvark|plugin/i;

const needs: Readonly<Record<Dispensable, RegExp>> = {
  init: /docker-init|catatonit|\btini\b|init binary|container-init/i,
  gateway: /host-gateway|host gateway|add-?host|extra ?hosts?|hostGatewayIP/i,
  network: bridges,
  bridge: bridges,
};

/** The part that an engine cannot give, by its own words; undefined: it is something else. */
export function missingPart(
  why: string,
  { without }: { without: ReadonlySet<Dispensable> },
): Dispensable | undefined {
  if (isPortTaken(why)) return undefined;
  return dispensable.find((part) => !without.has(part) && needs[part].test(why));
}

export function isPortTaken(why: string): boolean {
  return portTaken.test(why);
}

/** No other try makes a difference: the file or the image says what cannot be. */
export function isHopelessRefusal({ status, why }: { status: number; why: string }): boolean {
  if (isPortTaken(why)) return false;
  return (
    status === 400 ||
    /executable file not found|no such file or directory|unable to find user|invalid|is a directory/i.test(
      why,
    )
  );
}

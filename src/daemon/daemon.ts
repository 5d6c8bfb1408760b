/** Options into a running daemon: builds every part in order, joins them, and stops them in reverse. */
import { release } from "node:os";
import { version } from "../../package.json" with { type: "json" };
import { feed } from "../control/commands/events.ts";
import { trafficNews } from "../control/commands/traffic-news.ts";
import { type HandingOver, usualTrial } from "../control/found/handing-over.ts";
import { type Facts, protocol } from "../control/found/protocol.ts";
import { checkouts } from "../discovery/checkouts.ts";
import { givenClaims, namesPath } from "../discovery/names-file.ts";
import { clientUsers, isOwn } from "../discovery/client-user.ts";
import type { Proxy as RunningProxy } from "../proxy/listener/listener.ts";
import { Denials } from "../proxy/request/denials.ts";
import { Recorder } from "../proxy/request/recorder.ts";
import { leads } from "../routes/table.ts";
import type { Projects } from "../supervisor/projects.ts";
import { systemClock } from "../system/clock.ts";
import { hostsFile } from "../system/hosts-file.ts";
import { peerSockets } from "../system/peer-sockets.ts";
import { certificates } from "../tls/certificates.ts";
import { processIdentity } from "../tls/identity.ts";
import { backendOf } from "./backend.ts";
import { chosenWorktrees } from "./chosen-worktrees.ts";
import { claim } from "./claim.ts";
import { configuredNames } from "./configured-names.ts";
import { CurrentRoutes } from "./current-routes.ts";
import { discovering } from "./discovering.ts";
import { type Doors, openDoors } from "./doors.ts";
import { handingOver } from "./handing-over.ts";
import { CheckoutsNow } from "./known-checkouts.ts";
import { Late } from "./late.ts";
import type { Daemon, DaemonOptions } from "./options.ts";
import { LowPorts } from "./low-ports.ts";
import { namelessNow } from "./nameless.ts";
import { refuseNewerState } from "./newer-state.ts";
import { type NamesInStep, namesInStep } from "./names-in-step.ts";
import { beginOneOffs, oneOffContainers } from "./one-off-containers.ts";
import { otherMachines } from "./other-machines.ts";
import { proxyAt } from "./proxy-at.ts";
import { servedUsers } from "./served-users.ts";
import { Stops } from "./stops.ts";
import { beginProjects, supervisedProjects } from "./supervised.ts";

export type { Daemon, DaemonOptions } from "./options.ts";

/**
 * Undefined where another daemon runs and is to go on: with `unlessRunning`, and where one was started after this.
 *
 * @throws an Error with `code` (`EADDRINUSE`) and `port` where the port cannot be had, and one with a sentence where a
 * newer version has written to the state directory.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon | undefined> {
  const stops = new Stops((part, error) =>
    options.onNote(`${part} could not be stopped: ${(error as Error).message}`),
  );
  let daemon: Daemon | undefined;
  const trial = { isOn: false };
  try {
    daemon = await start(options, { stops, trial });
  } finally {
    // On trial, whatever we would end here goes on with the daemon before.
    if (daemon === undefined && !trial.isOn) await stops.stop();
  }
  return daemon;
}

type Starting = { stops: Stops; trial: { isOn: boolean } };

async function start(
  options: DaemonOptions,
  { stops, trial }: Starting,
): Promise<Daemon | undefined> {
  const clock = systemClock;
  const now = (): number => performance.now();
  const { stateDirectory, tlds, bareNames, hosts = hostsFile() } = options;
  refuseNewerState(stateDirectory);
  // Microsoft's kernels say so in their release, WSL 1 and 2 alike.
  const wsl = /microsoft/i.test(release());
  const gitCheckouts = checkouts({ uid: process.getuid?.() ?? -1, clock });
  const peers = peerSockets(process.platform);
  const dismissed = Promise.withResolvers<string>();
  let isEnding = false;
  void dismissed.promise.then(() => {
    isEnding = true;
  });
  const facts = firstFacts(options);
  const proxy = new Late<RunningProxy>();
  const doors = new Late<Doors>();
  const handing = new Late<HandingOver>();
  const hostsNames = new Late<NamesInStep>();

  const supervisor = new Late<Projects>();
  const denials = new Denials({
    clock,
    tell({ name, service }, text) {
      note(`${name}: ${text}`);
      if (service !== undefined) supervisor.part?.logs.of(service.id).say(text);
    },
  });
  const recorder = new Recorder({ clock, now, denials });
  const events = feed({ clock, launch: facts.id, counts: (service) => recorder.counts(service) });
  stops.push("the events", () => events.stop());
  const note = (text: string): void => {
    events.log(text, "stderr");
    options.onNote(text);
  };
  const common = { clock, facts, feed: events, traffic: recorder, note, stops };
  const settings = configuredNames(options.configFile, note);
  /** The pids of ssh to other machines. */
  const besides = new Set<number>();
  const machines = otherMachines({
    ...{ ...options, ...common, names: settings, pids: besides },
    onChange: () => discovery.rename(),
  });
  const routes = new CurrentRoutes({
    ...{ tlds, bareNames, hosts, names: settings },
    checkouts: new CheckoutsNow(gitCheckouts),
    remotes: () => machines.names(),
    waiting: () => discovery.waiting(),
    choices: chosenWorktrees({ stateDirectory, checkouts: gitCheckouts, note }),
    onTable: () => hostsNames.part?.changed(),
  });
  const supervised = () => supervisor.part?.snapshots() ?? [];
  const given = givenClaims(namesPath(stateDirectory), note);
  const found = discovering({
    ...{ ...options, ...common, wsl, routes, given, supervised, checkouts: gitCheckouts },
    remote: () => machines.claims(),
  });
  const { discovery } = found;
  const names = certificates({
    stateDirectory,
    clock,
    identity: processIdentity(),
    tlds,
    isService: (name) => leads(name, routes.table),
    note,
  });
  const projects = supervisedProjects({
    ...{ ...options, ...common, routes, discovery, proxy, besides },
  });
  supervisor.is(projects);
  const nameless = namelessNow({ discovery, routes, projects, wsl });
  const bind = proxyAt({
    ...options,
    ...common,
    ...found,
    nameless,
    now,
    wsl,
    peers,
    routes,
    certificates: names,
    recorder,
    projects,
    remotes: machines,
  });
  const onceOnly = oneOffContainers({ ...options, clock });
  const backend = backendOf({
    ...common,
    oneOffs: onceOnly,
    routes,
    discovery,
    projects,
    remotes: machines,
    nameless,
    trust: options.trust,
    proxy,
    doors,
    // In a turn of its own, so that the answer is on its way.
    shutdown: () => void clock.after(0, () => dismissed.resolve("as it was asked to")),
  });
  const uid = process.getuid?.() ?? -1;
  const pageUsers = clientUsers(peers, {
    uids: servedUsers(uid, process.env).page,
    elsewhere: wsl,
  });
  const opened = await openDoors({
    ...options,
    ...common,
    backend,
    ownClient: (client) => isOwn(pageUsers(client)),
    // A daemon that is not there yet itself has nothing to hand over.
    successor: (id, to) => handing.part?.begin(id, to),
    isEnding: () => isEnding && handing.part?.state !== "left",
  });
  if (opened !== undefined) doors.is(opened);
  // Just before the doors close, so that until then a client which is gone is seen to be.
  stops.push("the clients of containers", () => onceOnly.leave());

  // Before the port is ours: the first client finds what it asks for.
  stops.push("the search for services", () => discovery.stop());
  // After the proxy, whose answers under way may come from one of them.
  stops.push("the other machines", () => machines.stop());
  await discovery.start();
  // Which machines there are is known by the first request; none is connected to before.
  await machines.start();
  /** Answers under way end while services do, and while the record goes. */
  const resting = stops.together("the proxy and the services");
  const lowPorts = new LowPorts({ passed: options.passed ?? [], helper: options.helper, note });
  stops.push("sockets that were not used", () => lowPorts.close());
  const claimed = await claim({
    ...options,
    ...common,
    lowPorts,
    doors: opened,
    bind,
    inherit: (shells) => projects.inherit(shells),
    receive: (batches) => projects.receive(batches),
    onTaken({ onTrial }) {
      trial.isOn = onTrial;
    },
    stops: resting,
    last: stops,
  });
  if (claimed === undefined) {
    trial.isOn = false;
    return undefined;
  }
  proxy.is(claimed.proxy);
  if (tlds.length > 0) void names.compare();

  // Stopped first, so that services which end because we stop them are no news.
  stops.push("the news of services", () => discovery.stop());
  beginOneOffs(onceOnly, resting);
  beginProjects(projects, { ...common, resting, line: claimed.line });
  stops.push("the news of requests", trafficNews(common));
  stops.push("the word to followers", () => events.publish("stopping", {}));
  let isLost = false;
  const watch = claimed.keep({
    lost(reason) {
      isLost = true;
      dismissed.resolve(reason);
    },
    stops,
  });
  const over = handingOver({
    ...common,
    ...{ proxy, doors: opened, projects, oneOffs: onceOnly, watch },
    ...{ again: claimed.again, trial: options.trial ?? usualTrial },
    dismissed: dismissed.resolve,
    onHandedOver: options.onHandedOver,
    cameBack: () => inStep.changed(),
  });
  handing.is(over.conversations);
  const inStep = namesInStep({
    ...{ ...options, clock, routes, note },
    isOurs: () => !isLost && over.conversations.state === "serving",
  });
  hostsNames.is(inStep);
  // Beside the listeners, whose ports are free at once.
  resting.push("the names in the hosts file", () => inStep.end());
  inStep.changed();

  return {
    port: claimed.proxy.port,
    ports: claimed.proxy.ports,
    urlPorts: claimed.proxy.urlPorts,
    refusedPorts: lowPorts.explained(claimed.proxy.refusedPorts),
    sourceOf: (port) => lowPorts.sourceOf(port),
    addresses: claimed.proxy.addresses,
    predecessor: claimed.predecessor,
    isHanded: claimed.isHanded,
    dismissed: dismissed.promise,
    get isReplaced() {
      return ["lent", "left"].includes(over.conversations.state);
    },
    fails: (why) => projects.fails(why),
    stop() {
      isEnding = true;
      projects.release();
      over.conversations.settle();
      return over.left()?.then(() => stops.stop()) ?? stops.stop();
    },
    get keeps() {
      return over.keeps();
    },
    kept: (how) => over.kept(how),
  };
}

/** The facts before there is a door or a port; `openDoors` and `claim` fill in the rest. */
function firstFacts(options: DaemonOptions): Facts {
  return {
    id: crypto.randomUUID(),
    version,
    url: "",
    pid: process.pid,
    protocol,
    startedAt: Math.floor(performance.timeOrigin),
    socket: options.socket,
    port: options.port,
    tlds: options.tlds,
    stateDirectory: options.stateDirectory,
    addresses: [],
    log: options.log,
  };
}

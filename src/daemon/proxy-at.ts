/** The parts of the daemon -> a proxy at any port, joined to them. */
import { version } from "../../package.json" with { type: "json" };
import { type Callers, callerFinder } from "../discovery/callers.ts";
import { clientUsers } from "../discovery/client-user.ts";
import { departedClients } from "../discovery/departed-clients.ts";
import { type Proxy as RunningProxy, startProxy } from "../proxy/listener/listener.ts";
import type { Recorder } from "../proxy/request/recorder.ts";
import type { Remotes } from "../remote/remotes.ts";
import { classifyHost } from "../routes/host.ts";
import type { Unusable } from "../routes/unusable.ts";
import { plainLines } from "../supervisor/logs/plain-text.ts";
import type { Projects } from "../supervisor/projects.ts";
import type { Clock } from "../system/clock.ts";
import { listenersAt } from "../system/listener-at.ts";
import { isSocketPath } from "../text/place.ts";
import { belongsTo, listenersOn } from "../system/listeners.ts";
import { socketUsers } from "../system/socket-users.ts";
import type { PeerSockets } from "../system/peer-sockets.ts";
import type { Certificates } from "../tls/certificates.ts";
import { terminator } from "../tls/terminate.ts";
import type { CurrentRoutes } from "./current-routes.ts";
import type { Discovering } from "./discovering.ts";
import type { Before } from "./claim.ts";
import { faultText } from "./fault-text.ts";
import { heldPorts } from "./held-ports.ts";
import type { DaemonOptions } from "./options.ts";
import { onWildcard } from "./ports.ts";
import { servedUsers } from "./served-users.ts";
import type { Stopping } from "./stops.ts";

export type ProxyParts = Pick<DaemonOptions, "extraPorts" | "httpsRedirect" | "otherUsers"> &
  Discovering & {
    clock: Clock;
    now(): number;
    wsl: boolean;
    peers: PeerSockets | undefined;
    routes: CurrentRoutes;
    certificates: Certificates;
    recorder: Recorder;
    projects: Projects;
    remotes: Remotes;
    nameless(): readonly Unusable[];
    note(text: string): void;
    stops: Stopping;
  };

/** Milliseconds after which what we know of a process has to be looked at again before it is relied on. */
const knownFor = 6_000;

/** @returns what starts the proxy at a port, and throws the system's error where that cannot be had. */
export function proxyAt(parts: ProxyParts): (port: number, before: Before) => RunningProxy {
  const { clock, now, wsl, peers, routes, discovery, age, certificates, projects, remotes, note } =
    parts;
  const uid = process.getuid?.() ?? -1;
  const proxyUsers = clientUsers(peers, {
    uids: servedUsers(uid, process.env).proxy,
    elsewhere: wsl,
  });
  const fault = (reason: unknown): void =>
    note(`a connection ended by a fault of ours: ${faultText(reason)}`);
  const tls = terminator({ clock, certificateFor: certificates.certificateFor, fault });
  const callers: Callers | undefined = peers && callerFinder({ root: "/proc", clock, now, peers });
  parts.stops.push("the search for callers", () => callers?.stop());
  const listening = listenersAt(process.platform);
  const holdsPort = heldPorts(listening, clock);
  return (port, before) =>
    startProxy({
      clock,
      port,
      ready: before.ready,
      // A port that was picked stays the one that people know.
      extraPorts: parts.extraPorts.map((its) => ({
        ...its,
        port: its.port === 0 ? (before.portOf(its.scheme) ?? 0) : its.port,
      })),
      wildcard: onWildcard,
      httpsRedirect: parts.httpsRedirect,
      version,
      instance: instanceId(),
      routes: () => routes.table,
      reread: () => routes.reread(),
      async refresh(host) {
        const its = host === undefined ? undefined : classifyHost(host, routes.table.tlds);
        // Only a name of another machine waits for one.
        const away = its?.kind === "name" ? remotes.look(its.name) : undefined;
        await Promise.all([discovery.refresh(), away]);
      },
      remote: (name) => remotes.of(name),
      stillThere: (service) =>
        holdsPort(service) &&
        (age() < knownFor || discovery.stillThere(service)) &&
        (service.source !== "remote" || remotes.isFresh(service.name)),
      unusable: parts.nameless,
      touch() {
        discovery.touch();
        remotes.touch();
      },
      keptNames: () => discovery.waiting(),
      clientUser: proxyUsers,
      otherUsers: parts.otherUsers,
      isOwn(place, owners) {
        const users = [uid, 0, ...owners];
        if (isSocketPath(place.address)) {
          return socketUsers(place.address).every((user) => users.includes(user));
        }
        // Elsewhere nobody can be asked.
        return process.platform !== "linux" || belongsTo(listenersOn(place.port), { place, users });
      },
      listenersAt: listening,
      departed: peers && departedClients(peers, { elsewhere: wsl }),
      terminator: tls,
      recorder: parts.recorder,
      callers,
      bareNames: () => certificates.bareNames,
      supervision: {
        wake: (service) => projects.wake(service),
        latest: (service, count) => plainLines(projects.logs.of(service).last(count)),
      },
      fault,
      note,
    });
}

function instanceId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
}

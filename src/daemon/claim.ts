/** The wanted port -> the proxy there, with our record beside it; or nothing, where another daemon is to go on. */
import { unwritableWhy } from "../text/unwritable.ts";
import { claimPort } from "../control/found/claim-port.ts";
import { type Alive, findDaemon, isAlive } from "../control/found/connect.ts";
import {
  type HandedSocket,
  isProxySocket,
  readySockets,
  takeSockets,
} from "../control/found/handed-sockets.ts";
import { readCredential } from "../control/found/credential.ts";
import { askHandover, type Handed, type Known } from "../control/found/handover.ts";
import { converge, rereadEvery } from "../control/found/converge.ts";
import type { Facts, Registration } from "../control/found/protocol.ts";
import {
  ownerOfRecord,
  readRegistration,
  recordText,
  registrationPath,
  removeRegistration,
  writeRegistration,
} from "../control/found/registration.ts";
import type { Proxy as RunningProxy } from "../proxy/listener/listener.ts";
import type { Ready } from "../link/listen-on-both.ts";
import type { Scheme } from "../routes/service-row.ts";
import type { Given } from "../supervisor/handed.ts";
import type { LineStart } from "../supervisor/line.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import type { Doors } from "./doors.ts";
import type { DaemonOptions } from "./options.ts";
import { LastingFault } from "./lasting-fault.ts";
import { Pausable } from "./pausable.ts";
import { persistently } from "./persistently.ts";
import type { LowPorts } from "./low-ports.ts";
import type { Stopping } from "./stops.ts";

export type ClaimOptions = Pick<
  DaemonOptions,
  "port" | "extraPorts" | "unlessRunning" | "mustBeFound" | "stateDirectory" | "drain"
> & {
  clock: Clock;
  facts: Facts;
  /** Undefined: the state directory cannot be written, so there is no record. */
  doors: Doors | undefined;
  lowPorts: LowPorts;
  /** Starts the proxy. @throws the system's error where the port is taken or not allowed. */
  bind(port: number, before: Before): RunningProxy;
  /** Takes what a daemon that we replace knows, before it is asked to go. */
  inherit(shells: unknown): void;
  /** Takes its services, as it describes them. @throws where they cannot be taken. */
  receive(batches: AsyncIterable<Given>): Promise<void>;
  note(text: string): void;
  /** All is ours; `onTrial`: if we fail, the daemon before goes on with what we leave. */
  onTaken(options: { onTrial: boolean }): void;
  /** Where the proxy and the record are stopped. */
  stops: Stopping;
  /** Where the conversation with the daemon before is closed: when the record is gone, which it then writes again. */
  last: Stopping;
};

/** Sockets that listen already: of the daemon before, of a service manager, of the helper. */
export type Before = {
  ready: Ready | undefined;
  /** The port of the daemon before for URLs of the scheme, besides the main port. */
  portOf(scheme: Scheme): number | undefined;
};

/** The record, while another daemon takes over. */
export type Watch = {
  /** A record of another daemon is no reason to stand down. */
  pause(): void;
  /** The daemon of the launch `successor` has not taken over: the record is ours again. */
  resume(successor: string): void;
};

export type Claim = {
  proxy: RunningProxy;
  /** The daemon that we have replaced. */
  predecessor: Registration | undefined;
  /** With its help. */
  isHanded: boolean;
  /** To that daemon, where it has handed over its services. */
  line: LineStart | undefined;
  /** Another proxy, on sockets that listen at the ports of the first one. @throws where that cannot be. */
  again(sockets: HandedSocket[]): RunningProxy;
  /** Keeps the record, the socket and the credential ours. `lost` is called once they are another daemon's. */
  keep(options: { lost(reason: string): void; stops: Stopping }): Watch;
};

/** Milliseconds that answers under way have when the daemon stops. */
const usualDrain = 10_000;

/** @throws an Error with `code` (`EADDRINUSE`) and `port` where the port cannot be had. */
export async function claim(options: ClaimOptions): Promise<Claim | undefined> {
  const { clock, facts, doors, stateDirectory, unlessRunning, mustBeFound, note, stops } = options;
  const { lowPorts } = options;
  const extras = options.extraPorts.map(({ port }) => port).filter((port) => port !== 0);
  const record = recordOf(options);
  let handed: Handed | undefined;
  let hasServices = false;
  /** All that the daemon before had is here, and it has let go. */
  let heard = false;
  let line: LineStart | undefined;
  options.last.push("the handover", () => handed?.close());
  const bind = (port: number, sockets: HandedSocket[]): RunningProxy => {
    const made = bindWith(sockets, { lowPorts, bind: (before) => options.bind(port, before) });
    lowPorts.close();
    // The listeners close before its promise is there, so that the next daemon has the ports at once.
    stops.push("the proxy", () => made.stop(options.drain ?? usualDrain));
    return made;
  };
  const publish = (port: number): Promise<void> =>
    mustBeFound ? persistently(clock, () => record.publish(port)) : record.publish(port);
  const isHandedPort = (port: number): boolean =>
    handed?.sockets.some(({ place }) => isProxySocket(place) && place.port === port) ?? false;
  const claimed = await claimPort({
    clock,
    port: options.port,
    extras,
    unlessRunning,
    // Nobody is told of one in the background that goes on after all.
    unlessStopped: mustBeFound,
    find: () => findDaemon(stateDirectory, { clock }),
    vacancy: (port) => lowPorts.vacancy(port),
    prepare: (port) => lowPorts.prepare([port, ...extras], isHandedPort),
    bind: (port) => bind(port, handed?.sockets ?? []),
    async inherit(found) {
      const known = knownAs(found, stateDirectory);
      if (known === undefined) return "shells";
      const { pid } = known.registration;
      const inherited = await askHandover(known, { clock, id: facts.id });
      if (inherited.kind === "broken") {
        note(`pid ${pid} could not hand over: ${inherited.why}`);
        return inherited.kind;
      }
      // An older answer is better than nothing.
      if (inherited.shells !== undefined) options.inherit(inherited.shells);
      if (inherited.kind === "handed") {
        hasServices = false;
        try {
          await options.receive(servicesOf(inherited));
          hasServices = true;
        } catch (error) {
          note(`services are started again: ${(error as Error).message}`);
        }
        if (!inherited.isOpen()) {
          inherited.close();
          note(`pid ${pid} could not hand over all that it has`);
          return "broken";
        }
        handed = inherited;
        doors?.adopt(handed.sockets);
      }
      return inherited.kind;
    },
    async taken() {
      const { pid, version } = facts;
      const done = await handed!.done({ services: hasServices, trial: { pid, version } });
      const onTrial = done?.onTrial === true;
      heard = done !== undefined;
      options.onTaken({ onTrial });
      const its = heard && hasServices ? handed!.line() : undefined;
      line = its && { ...its, onTrial };
      if (!heard) note("the daemon before ended while it handed over");
      handed!.close();
      doors?.settle();
    },
    publish(port) {
      // Whoever reads the record before we listen is told the URLs that there will be.
      for (const { scheme, port: extra, shown } of options.extraPorts) {
        const isOurs = isHandedPort(extra) || lowPorts.has(extra);
        if (shown && extra !== port && isOurs) facts[`${scheme}Port`] = extra;
      }
      return publish(port);
    },
    stillOurs: record.isOurs,
  }).catch((cause: Error & { code?: string; port?: number }) => {
    const { code, message, port = options.port } = cause;
    if (code === undefined) throw cause;
    const why = new Error(`cannot listen on port ${port}: ${message}`, { cause });
    throw Object.assign(why, { code, port });
  });
  if (claimed.kind !== "bound") return undefined;
  const { bound: proxy, predecessor } = claimed;
  // Another daemon may have been started at the same time, on another port or after we had asked for this one.
  const superseded =
    predecessor === undefined
      ? unlessRunning && (await findDaemon(stateDirectory, { clock })).kind === "healthy"
      : // Whoever has written its record since has nothing of the services, which nobody but us has.
        !heard && !record.isOurs();
  if (superseded) return undefined;
  facts.addresses = proxy.addresses;
  const { http, https } = proxy.urlPorts;
  delete facts.httpPort;
  delete facts.httpsPort;
  if (http !== proxy.port) facts.httpPort = http;
  if (https !== proxy.port) facts.httpsPort = https;
  try {
    await publish(proxy.port);
    // Another daemon may have replaced the credential while both of us started.
    await doors?.renewCredential();
  } catch (error) {
    const why = `other commands cannot find this daemon: ${(error as Error).message}`;
    if (mustBeFound) throw new Error(why, { cause: error });
    note(why);
  }
  return {
    proxy,
    predecessor,
    isHanded: heard,
    line,
    again: (sockets) => bind(proxy.port, sockets),
    keep({ lost, stops: keeping }) {
      if (doors === undefined) return { pause() {}, resume() {} };
      const watch = (): Cancel =>
        converge({
          stateDirectory,
          id: facts.id,
          clock,
          text: record.text,
          tick() {
            doors.claim();
            void doors.renewCredential();
          },
          changed: record.renew,
          lost: () => lost("as another was started, or the record removed"),
        });
      const wait = (): Cancel =>
        publishLater({
          clock,
          isReplaced: async () => isAlive(await findDaemon(stateDirectory, { clock })),
          publish: () => record.publish(proxy.port),
          published() {
            note("other commands can find this daemon now");
            watching.begin();
          },
          lost: () => lost("as another was started, and this one could not be found"),
        });
      let isOver = false;
      const watching = new Pausable({
        watch: () => (record.isPublished() ? watch() : wait()),
        async reclaim(successor) {
          const there = (await readRegistration(stateDirectory))?.id;
          if (isOver) return;
          if (there === undefined || there === successor) {
            await record.publish(facts.port).catch((error: Error) => note(error.message));
          }
        },
      });
      watching.begin();
      keeping.push("the watch over the record", () => {
        isOver = true;
        watching.pause();
      });
      return {
        pause: () => watching.pause(),
        resume: (successor) => void watching.resume(successor),
      };
    },
  };
}

/** As it is to be asked; undefined: nothing could be proved. */
function knownAs(found: Alive, stateDirectory: string): Known | undefined {
  if (found.kind === "healthy") return found;
  const credential = readCredential(stateDirectory);
  if (credential.kind !== "credential") return undefined;
  return { registration: found.handshake, credential: credential.value };
}

/** The answers of the daemon before about its services, up to the last one. @throws where it answers no more. */
async function* servicesOf(handed: Handed): AsyncGenerator<Given> {
  for (let batch = 0; ; batch++) {
    const answer = await handed.services(batch);
    if (answer === undefined) throw new Error("the daemon before does not answer");
    const { services, why } = answer.value as { services?: unknown; why?: unknown };
    if (typeof why === "string") throw new Error(why);
    if (typeof services !== "object" || services === null) return;
    yield { value: services as Record<string, unknown>, descriptors: answer.descriptors };
  }
}

type BindOptions = { lowPorts: LowPorts; bind(before: Before): RunningProxy };

function bindWith(all: HandedSocket[], { lowPorts, bind }: BindOptions): RunningProxy {
  const sockets = takeSockets(all, isProxySocket);
  const { ready, close } = readySockets(sockets);
  try {
    return bind({
      ready: lowPorts.after(ready),
      portOf: (scheme) => sockets.find(({ place }) => place.as === scheme)?.place.port,
    });
  } finally {
    close();
  }
}

type Later = {
  clock: Clock;
  /** Whether another daemon can be found meanwhile. */
  isReplaced(): Promise<boolean>;
  publish(): Promise<void>;
  published(): void;
  lost(): void;
};

/** A daemon in a terminal goes on without a record, and tries every second to have one. */
function publishLater({ clock, isReplaced, publish, published, lost }: Later): Cancel {
  let over = false;
  let trying = false;
  const cancel = clock.every(rereadEvery, () => {
    if (trying) return;
    trying = true;
    void attempt().finally(() => {
      trying = false;
    });
  });
  const end = (): void => {
    over = true;
    cancel();
  };
  async function attempt(): Promise<void> {
    const replaced = await isReplaced();
    if (over) return;
    if (replaced) {
      end();
      lost();
      return;
    }
    try {
      await publish();
    } catch {
      // The reason was noted when the daemon started.
      return;
    }
    if (over) return;
    end();
    published();
  }
  return end;
}

/** The record by which other commands find this daemon. */
function recordOf({ doors, facts, stateDirectory, note, stops }: ClaimOptions) {
  let published = false;
  const path = registrationPath(stateDirectory);
  const cannot = `the record ${path} cannot be written`;
  const fault = new LastingFault(cannot, note);
  const current = (): Registration => {
    const { stateDirectory: _, addresses: _a, log: _l, ...record } = facts;
    return record;
  };
  const write = () => writeRegistration(stateDirectory, current());
  return {
    isPublished: () => published,
    isOurs: () => ownerOfRecord(stateDirectory, { id: facts.id }) !== "lost",
    text: () => recordText(current()),
    /** Writes it again, after another program has changed it. */
    renew(): void {
      write().then(
        () => {
          fault.over();
          note("the record was changed by another program, and is written again");
        },
        (error: Error) => fault.met(error),
      );
    },
    async publish(port: number): Promise<void> {
      if (doors === undefined) return;
      facts.port = port;
      doors.claim();
      await write().catch((cause: Error) => {
        throw new Error(`${cannot}: ${unwritableWhy(cause)}`, { cause });
      });
      if (published) return;
      published = true;
      stops.push("the record", () =>
        removeRegistration(stateDirectory, facts.id).catch((error: Error) => {
          // The record names a daemon that is about to end, and no probe will find it.
          note(`the record of this daemon stays: ${error.message}`);
        }),
      );
    },
  };
}

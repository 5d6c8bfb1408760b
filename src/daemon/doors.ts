/** The commands into two doors for other programs: the HTTP API with the page, and the socket for IPC. */
import { unwritableWhy } from "../text/unwritable.ts";
import type { Backend } from "../control/commands/command.ts";
import { credentialPath, ensureCredential } from "../control/found/credential.ts";
import type { Facts } from "../control/found/protocol.ts";
import { type HttpDoor, startHttp } from "../control/http/http.ts";
import {
  type HandedSocket,
  type IpcPlace,
  readySockets,
  type SocketPlace,
  takeSockets,
  type TcpPlace,
} from "../control/found/handed-sockets.ts";
import { type PageLink, type PageTokens, pageTokens } from "../control/http/page-tokens.ts";
import { type IpcDoor, ipcDoor } from "../control/ipc/ipc.ts";
import type { IpcOptions } from "../control/ipc/ipc-request.ts";
import type { Ready } from "../link/listen-on-both.ts";
import { socketPath } from "../control/ipc/socket-path.ts";
import { dashboard, linkPath } from "../dashboard/dashboard.ts";
import { pageScript, removeKeptScripts } from "../dashboard/page-script.ts";
import { type Sessions, sessions } from "../dashboard/session.ts";
import type { Clock } from "../system/clock.ts";
import { hangUps } from "../system/hang-up.ts";
import { peerCredentials } from "../system/peer-credentials.ts";
import type { Ends } from "../system/peer-sockets.ts";
import { faultText } from "./fault-text.ts";
import { type KeptDoor, openKept } from "./kept-door.ts";
import { LastingFault } from "./lasting-fault.ts";
import { persistently } from "./persistently.ts";
import type { Stopping } from "./stops.ts";

export type Doors = {
  /** The sockets that another daemon may take over, which of them it is beside each. */
  sockets(): HandedSocket[];
  /** Takes those of the daemon before out of `sockets`, and opens the doors on them. */
  adopt(sockets: HandedSocket[]): void;
  /** The socket for commands is no longer shared with the daemon before. */
  settle(): void;
  /** Another daemon has our sockets. Resolves when what is under way has ended, bounded. */
  leave(): Promise<void>;
  /** Makes the socket ours: before the record names it, and again whenever it is not. */
  claim(): void;
  /** Mends the credential after it was deleted, or when others could read it. */
  renewCredential(): Promise<void>;
  /** A URL that signs one browser in. */
  dashboard(): string;
  /** A URL of a page of another origin, which lets that page in. @throws CommandError where it may not. */
  connectPage(page: string): PageLink;
  connections(): { http: number; ipc: number };
};

export type DoorsOptions = {
  clock: Clock;
  /** The doors write down where they are. */
  facts: Facts;
  backend: Backend;
  stateDirectory: string;
  /** Nobody would know of a daemon that other commands cannot find. */
  mustBeFound: boolean;
  /** The path that is wanted for the socket. */
  socket: string;
  allowedOrigins: readonly string[];
  /** Whether the page's client is this person's; undefined where the system does not tell. */
  ownClient(client: Ends): boolean | undefined;
  /** Begins to hand over to another daemon. */
  successor: IpcOptions["successor"];
  isEnding: IpcOptions["isEnding"];
  note(text: string): void;
  stops: Stopping;
};

/**
 * Undefined, and noted, where the state directory cannot be written: the proxy works without. @throws an Error for a
 * person in that case, where the daemon must be found.
 */
export async function openDoors(options: DoorsOptions): Promise<Doors | undefined> {
  const { clock, facts, backend, stateDirectory, note } = options;
  const credential = await keptCredential(options);
  if (credential === undefined) return undefined;
  const fault = (error: unknown): void =>
    note(`a command failed by a fault of ours: ${faultText(error)}`);
  const { allowedOrigins } = options;
  const tokens = sessions({ clock, credential: credential.value });
  const forPages = pageTokens({ clock, credential: credential.value, allowedOrigins });
  await removeKeptScripts(stateDirectory);
  const openAt = (port: number, ready?: Ready): HttpDoor =>
    startHttp({
      ready,
      clock,
      credential: credential.value,
      allowedOrigins,
      backend,
      port,
      page: dashboard({ sessions: tokens, script: pageScript, fault }),
      pageTokens: forPages,
      ownClient: options.ownClient,
      fault,
    });
  // A page of another origin may be open without our knowledge: it was given the address and the credential.
  const known = allowedOrigins.length > 0;
  const pages = await openKept(openAt, { stateDirectory, clock, note, known });
  const ipc = socketDoor({ ...options, credential: credential.value, fault });
  options.stops.push("the doors for other commands", async () => {
    await Promise.all([pages.stop(), ipc?.stop()]);
  });
  facts.url = pages.http.url;
  facts.socket = ipc?.path ?? options.socket;
  return doorsOf({ pages, ipc, tokens, forPages, credential, note, facts });
}

type DoorsParts = {
  pages: KeptDoor;
  ipc: IpcDoor | undefined;
  tokens: Sessions;
  forPages: PageTokens;
  credential: KeptCredential;
  note(text: string): void;
  facts: Facts;
};

function doorsOf({ pages, ipc, tokens, forPages, credential, note, facts }: DoorsParts): Doors {
  const fault = new LastingFault("there is no socket for other commands", note);
  return {
    sockets() {
      const own = ipc?.socket();
      const tcp = pages.sockets().map(({ as, socket: { address, port, descriptor } }) => {
        return { place: { as, address: address as TcpPlace["address"], port }, descriptor };
      });
      if (ipc === undefined || own === undefined) return tcp;
      const { inode, descriptor } = own;
      return [...tcp, { place: { as: "ipc", path: ipc.path, inode: String(inode) }, descriptor }];
    },
    adopt(sockets) {
      const tcp = takeSockets(sockets, isDoor);
      const { ready, close } = readySockets(tcp);
      const portOf = (as: "api" | "page") => tcp.find(({ place }) => place.as === as)?.place.port;
      const api = portOf("api");
      if (api !== undefined) pages.adopt({ api, page: portOf("page"), ready });
      close();
      facts.url = pages.http.url;
      const isOurs = (place: SocketPlace): place is IpcPlace =>
        place.as === "ipc" && place.path === ipc?.path;
      for (const { place, descriptor } of takeSockets(sockets, isOurs)) {
        ipc!.adopt({ inode: BigInt(place.inode), descriptor });
      }
    },
    settle: () => ipc?.settle(),
    async leave() {
      await Promise.all([pages.leave(), ipc?.leave()]);
    },
    claim() {
      try {
        ipc?.claim();
        fault.over();
      } catch (error) {
        fault.met(error as Error);
      }
    },
    async renewCredential() {
      if (await credential.renew()) pages.credentialChanged();
    },
    dashboard: () => `${pages.url()}${linkPath}?token=${tokens.issue("link")}`,
    connectPage: (page) => forPages.link(page, pages.url()),
    connections: () => ({ http: pages.connections(), ipc: ipc?.connections ?? 0 }),
  };
}

type KeptCredential = {
  value(): string;
  /** @returns whether it is another one now. */
  renew(): Promise<boolean>;
};

async function keptCredential({
  stateDirectory,
  clock,
  mustBeFound,
  note,
}: DoorsOptions): Promise<KeptCredential | undefined> {
  const read = async (): Promise<string> => {
    const ensured = await ensureCredential(stateDirectory);
    if (ensured.note !== undefined) note(ensured.note);
    return ensured.value;
  };
  let credential: string;
  const path = credentialPath(stateDirectory);
  const fault = new LastingFault(`the credential ${path} cannot be used`, note);
  try {
    credential = await (mustBeFound ? persistently(clock, read) : read());
  } catch (error) {
    const what = `other commands cannot find this daemon: the credential ${path} cannot be used`;
    const why = `${what}: ${unwritableWhy(error as Error)}`;
    if (mustBeFound) throw new Error(why, { cause: error });
    note(why);
    return undefined;
  }
  return {
    value: () => credential,
    async renew() {
      const before = credential;
      try {
        credential = await read();
        fault.over();
      } catch (error) {
        fault.met(error as Error);
      }
      return credential !== before;
    },
  };
}

function isDoor(place: SocketPlace): place is TcpPlace {
  return place.as === "api" || place.as === "page";
}

type SocketDoorOptions = Pick<
  DoorsOptions,
  "clock" | "socket" | "backend" | "note" | "successor" | "isEnding"
> & {
  credential(): string;
  fault(error: unknown): void;
};

/** Undefined, and noted, where there is no place for a socket. */
function socketDoor({ socket, note, ...options }: SocketDoorOptions): IpcDoor | undefined {
  const uid = process.getuid?.() ?? -1;
  const { platform, env } = process;
  /** Makes the directory too. */
  const place = () => socketPath(socket, { platform, uid, runtimeDirectory: env.XDG_RUNTIME_DIR });
  try {
    const path = place();
    const { clock, backend, credential, fault, successor, isEnding } = options;
    return ipcDoor({
      ...(successor === undefined ? {} : { successor }),
      ...(isEnding === undefined ? {} : { isEnding }),
      path,
      prepare: () => void place(),
      clock,
      backend,
      peers: peerCredentials(platform),
      hasHungUp: hangUps(),
      uid,
      credential,
      fault,
    });
  } catch (error) {
    note((error as Error).message);
    return undefined;
  }
}

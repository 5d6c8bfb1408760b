/** A declared check and a port -> whether the service is well at this moment, or why not. */
import type { HealthCheck } from "../../manifest/project.ts";
import { dial, type DialOutcome, type DialTarget } from "../../link/dial.ts";
import { type Link, type LinkHandler, nobody } from "../../link/link.ts";
import { speaksH2 } from "../../link/speaks-h2.ts";
import type { Clock } from "../../system/clock.ts";
import type { Pipes } from "../../system/pipes.ts";
import type { ProcessCalls } from "../../system/process-calls.ts";
import type { TerminalFlow } from "../../system/terminal-flow.ts";
import { beginsWithFrame } from "../../wire/h2/begins-with-frame.ts";
import { askStore } from "./ask-store.ts";
import { spawnChild } from "./child.ts";
import { type Health, ill } from "./health.ts";

export type Asking = {
  /** The port of the service; undefined for a worker. */
  port: number | undefined;
  /** The name under which it is reached: `shop.localhost`. Asked for by https checks. */
  name: string;
  /** The service's own, as are the two below. */
  env: Readonly<Record<string, string>>;
  shell: readonly string[];
  workdir: string;
  /** Milliseconds. */
  timeout: number;
};

export interface Asked {
  /** Never rejects. */
  done: Promise<Health>;
  /** Gives up; nothing of the check is left running. */
  cancel(): void;
}

export type CheckEffects = {
  clock: Clock;
  flow: TerminalFlow;
  pipes: Pipes | undefined;
  calls: Pick<ProcessCalls, "marked">;
  own: Set<number>;
};

/** How a service is asked; a test answers in its place. */
export type Ask = (ask: HealthCheck["ask"], asking: Asking) => Asked;

/** IPv4 first: most servers have it. Vite often has ::1 only. */
const addresses = ["127.0.0.1", "::1"] as const;

/**
 * Milliseconds that a server which answers wrongly is given to show that it speaks the other protocol. `openssl
 * s_server` takes half a second until it takes the next connection.
 */
const patience = 1000;

/** Bytes within which the status line must end. */
const enough = 4096;

/** Characters of a command's last line that are shown. */
const shownLine = 200;

export function checks(effects: CheckEffects): Ask {
  return (ask, asking) => {
    const { promise, resolve } = Promise.withResolvers<Health>();
    let settled = false;
    let giveUp: () => void = () => {};
    const settle = (health: Health): void => {
      if (settled) return;
      settled = true;
      cancelTimer();
      resolve(health);
      giveUp();
    };
    let suspicion = `no answer within ${asking.timeout} ms`;
    const late = () => settle(ill(suspicion));
    const cancelTimer = effects.clock.after(asking.timeout, late);
    if (ask.kind === "command") giveUp = byCommand(ask.command, { asking, settle, effects });
    else if (asking.port === undefined) settle(ill("it has no port"));
    else if (ask.kind === "store") giveUp = askStore(asking.port, { store: ask.store, settle });
    else {
      giveUp = byPort(asking.port, {
        path: ask.kind === "tcp" ? undefined : ask.path,
        secured: ask.kind === "https" ? asking.name : undefined,
        clock: effects.clock,
        settle,
        suspect: (why) => {
          suspicion = why;
        },
      });
    }
    // A check that settled before it was known how to give it up has nothing to give up.
    return { done: promise, cancel: () => settle(ill("it was given up")) };
  };
}

type PortAsking = {
  /** Undefined: a connection is enough. */
  path: string | undefined;
  /** The name that is asked for inside TLS; undefined: no TLS. */
  secured: string | undefined;
  clock: Clock;
  settle(health: Health): void;
  /** Notes what to say where the time is up before it is known better. */
  suspect(why: string): void;
};

/** Connects; with a path, also asks for it. @returns how to give it up. */
function byPort(port: number, { path, secured, clock, settle, suspect }: PortAsking): () => void {
  const stops: (() => void)[] = [];
  const host = secured ?? `localhost:${port}`;
  /** Whether the server speaks the other of the two protocols. */
  const other = (address: string, answer: (yes: boolean) => void): void => {
    const target = { address, port };
    stops.push(
      secured === undefined
        ? request({ ...target, tls: { serverName: "" } }, { host, ...tlsAnswer(answer) })
        : request(target, { path, host, ...plainAnswer(answer) }),
    );
  };
  /** Settles with `why`, unless the server speaks HTTP/2, `inside` TLS or without. */
  const doubtVersion = (why: string, { address, inside }: { address: string; inside: boolean }) => {
    const told = (yes: boolean): void => settle(ill(yes ? onlyH2 : why));
    void speaksH2({ address, port, secured: inside }, clock).then(told);
  };
  /** Settles with `why`, unless the server turns out to speak the other one, or HTTP/2. */
  const doubt = (why: string, { address, inside }: { address: string; inside: boolean }): void => {
    suspect(why);
    // Some servers take one connection at a time.
    for (const stop of stops.splice(0)) stop();
    stops.push(clock.after(patience, () => settle(ill(why))));
    other(address, (yes) => {
      if (yes) settle(ill(wrongWay(secured !== undefined)));
      else doubtVersion(why, { address, inside });
    });
  };
  const attempt = (at: number): void => {
    const address = addresses[at];
    if (address === undefined) {
      settle(ill(`nothing listens on port ${port}`));
      return;
    }
    const tls = secured === undefined ? undefined : { serverName: secured };
    const suspected = (why: string): void => doubt(why, { address, inside: tls !== undefined });
    const reader = path === undefined ? nobody : statusReader(settle, suspected);
    stops.push(
      request(
        { address, port, tls },
        {
          path,
          host,
          reader,
          connected() {
            if (path === undefined) settle({ kind: "well" });
          },
          failed: () => attempt(at + 1),
          unsecured(verdict) {
            if (verdict.kind === "refused") {
              const why = `its TLS handshake failed: ${verdict.why}`;
              suspect(why);
              doubtVersion(why, { address, inside: true });
            } else {
              const inside = verdict.kind === "lost";
              doubt(unsecuredWhy[verdict.kind], { address, inside });
            }
          },
        },
      ),
    );
    if (tls === undefined) return;
    // A server that waits for the end of a line takes a ClientHello for the beginning of one.
    const asked = clock.after(patience, () => {
      other(address, (yes) => {
        if (yes) settle(ill(wrongWay(true)));
      });
    });
    stops.push(asked);
  };
  attempt(0);
  return () => {
    for (const stop of stops) stop();
  };
}

const unsecuredWhy = {
  plain: "its answer is not TLS",
  lost: "it closed the connection during the TLS handshake",
} as const;

const onlyH2 =
  'it speaks HTTP/2 alone, which no check of ours does; write type = "tcp" in its health_check, or a command such as grpc_health_probe';

function wrongWay(secured: boolean): string {
  const [right, wrong] = secured ? ["http", "https"] : ["https", "http"];
  return `it speaks ${right}, not ${wrong}; write type = "${right}" in its health_check`;
}

type RequestOptions = Omit<DialOutcome, "connected"> & {
  /** Undefined: only the connection is made. */
  path?: string | undefined;
  host: string;
  reader: LinkHandler;
  connected?(): void;
};

/** Connects and asks. @returns how to close what there is. */
function request(
  target: DialTarget,
  { path, host, reader, connected, failed, unsecured }: RequestOptions,
): () => void {
  let link: Link | undefined;
  const cancel = dial(
    target,
    {
      connected(made) {
        link = made;
        connected?.();
        if (path === undefined) return;
        const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: localhostess-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
        const bytes = Buffer.from(head);
        link.write(bytes, 0, bytes.length);
      },
      failed,
      ...(unsecured === undefined ? {} : { unsecured }),
    },
    reader,
  );
  return () => {
    cancel();
    // Not by a reset: servers write those into their logs.
    link?.close();
  };
}

/** Whether a server speaks TLS: an alert is a record of it, just like a certificate. */
function tlsAnswer(answer: (yes: boolean) => void) {
  return {
    reader: nobody,
    connected: () => answer(true),
    failed: () => answer(false),
    unsecured: ({ kind }: { kind: string }) => answer(kind === "refused"),
  };
}

/** Whether what a server says to a plain request is HTTP. */
function plainAnswer(answer: (yes: boolean) => void) {
  const no = (): void => answer(false);
  const reader: LinkHandler = {
    ...nobody,
    data: (bytes) => answer(Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "HTTP/"),
    ended: no,
    closed: no,
  };
  return { reader, failed: no };
}

/** The type of a record that holds an alert, RFC 8446 section 5.1. */
const alertRecord = 0x15;

/** Reads as far as the status line. `doubt`: the answer is one that servers of TLS give to plain requests. */
function statusReader(settle: (health: Health) => void, doubt: (why: string) => void): LinkHandler {
  let text = "";
  let over = false;
  const say = (why: string): void => {
    if (over) return;
    over = true;
    doubt(why);
  };
  return {
    data(bytes) {
      if (over) return;
      text += Buffer.from(bytes.subarray(0, enough)).toString("latin1");
      const found = /^HTTP\/1\.[01] (\d{3})\b/.exec(text);
      const status = Number(found?.[1]);
      if (status >= 100 && status < 200) {
        // Not the answer yet: 103 and its like stand before it.
        const end = text.indexOf("\r\n\r\n");
        if (end === -1) return;
        text = text.slice(end + 4);
        this.data(new Uint8Array());
      } else if (status === 400) {
        // nginx, Apache and Go's servers say so to a plain request on a port of TLS.
        say(`it answered with status ${status}`);
      } else if (found !== null) {
        const well = status >= 200 && status < 400;
        settle(well ? { kind: "well" } : ill(`it answered with status ${status}`));
      } else if (text.length >= 4 && beginsWithFrame(Buffer.from(text.slice(0, 4), "latin1"))) {
        settle(ill(onlyH2));
      } else if (text.charCodeAt(0) === alertRecord) {
        say("its answer is not HTTP");
      } else if (text.length >= enough || (text.length >= 13 && !text.startsWith("HTTP/"))) {
        settle(ill("its answer is not HTTP"));
      }
    },
    drained() {},
    ended: () => say("it closed the connection without an answer"),
    closed: () => say("it broke off the connection without an answer"),
    failed(fault) {
      throw fault;
    },
  };
}

/** Runs the check by the shell, in a process group that ends with it. @returns how to give it up. */
function byCommand(
  command: string,
  {
    asking,
    settle,
    effects,
  }: { asking: Asking; settle: (health: Health) => void; effects: CheckEffects },
): () => void {
  let last = "";
  const result = spawnChild(
    {
      command,
      shell: asking.shell,
      workdir: asking.workdir,
      env: asking.env,
      pty: false,
      input: "none",
      onOutput(_stream, bytes) {
        last = (last + Buffer.from(bytes.subarray(-enough)).toString()).slice(-enough);
      },
      onExit({ code, signal }) {
        if (code === 0) settle({ kind: "well" });
        const how = signal === null ? `exit code ${code}` : signal;
        const said = printableTail(last);
        settle(ill(said === "" ? `its check ended with ${how}` : `its check: ${said} (${how})`));
      },
    },
    effects,
  );
  if (result.kind === "refused") {
    settle(ill(`its check: ${result.why}`));
    return () => {};
  }
  const { child } = result;
  return () => {
    // Processes that it left behind are ended with the service.
    child.kill();
    child.release();
  };
}

function printableTail(text: string): string {
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  return line
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
    .trim()
    .slice(0, shownLine);
}

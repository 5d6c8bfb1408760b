/** A declared check and a port -> whether the service is well at this moment, or why not. */
import type { HealthCheck } from "../../manifest/project.ts";
import { dial } from "../../link/dial.ts";
import { type Link, type LinkHandler, nobody } from "../../link/link.ts";
import type { Clock } from "../../system/clock.ts";
import type { ProcessCalls } from "../../system/process-calls.ts";
import type { TerminalFlow } from "../../system/terminal-flow.ts";
import { spawnChild } from "./child.ts";

export type Health = { kind: "well" } | { kind: "ill"; why: string };

export type Asking = {
  /** The port of the service; undefined for a worker. */
  port: number | undefined;
  /** The service's own. */
  env: Readonly<Record<string, string>>;
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
  calls: Pick<ProcessCalls, "marked">;
  own: Set<number>;
};

/** How a service is asked; a test answers in its place. */
export type Ask = (ask: HealthCheck["ask"], asking: Asking) => Asked;

/** IPv4 first: most servers have it. Vite often has ::1 only. */
const addresses = ["127.0.0.1", "::1"] as const;

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
    const late = () => settle(ill(`no answer within ${asking.timeout} ms`));
    const cancelTimer = effects.clock.after(asking.timeout, late);
    if (ask.kind === "command") giveUp = byCommand(ask.command, { asking, settle, effects });
    else if (asking.port === undefined) settle(ill("it has no port"));
    else {
      const path = ask.kind === "http" ? ask.path : undefined;
      giveUp = byPort(asking.port, { path, settle });
    }
    // A check that settled before it was known how to give it up has nothing to give up.
    return { done: promise, cancel: () => settle(ill("it was given up")) };
  };
}

function ill(why: string): Health {
  return { kind: "ill", why };
}

/** Connects; with a path, also asks for it. @returns how to give it up. */
function byPort(
  port: number,
  { path, settle }: { path: string | undefined; settle: (health: Health) => void },
): () => void {
  let stop: () => void = () => {};
  const attempt = (at: number): void => {
    const address = addresses[at];
    if (address === undefined) {
      settle(ill(`nothing listens on port ${port}`));
      return;
    }
    let link: Link | undefined;
    const cancel = dial(
      { address, port },
      {
        connected(connected) {
          link = connected;
          if (path === undefined) settle({ kind: "well" });
          else {
            const host = `localhost:${port}`;
            const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: localhostess-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
            const bytes = Buffer.from(head);
            link.write(bytes, 0, bytes.length);
          }
        },
        failed: () => attempt(at + 1),
      },
      path === undefined ? nobody : statusReader(settle),
    );
    stop = () => {
      cancel();
      // Not by a reset: servers write those into their logs.
      link?.close();
    };
  };
  attempt(0);
  return () => stop();
}

/** Reads as far as the status line. */
function statusReader(settle: (health: Health) => void): LinkHandler {
  let text = "";
  return {
    data(bytes) {
      text += Buffer.from(bytes.subarray(0, enough)).toString("latin1");
      const found = /^HTTP\/1\.[01] (\d{3})\b/.exec(text);
      const status = Number(found?.[1]);
      if (status >= 100 && status < 200) {
        // Not the answer yet: 103 and its like stand before it.
        const end = text.indexOf("\r\n\r\n");
        if (end === -1) return;
        text = text.slice(end + 4);
        this.data(new Uint8Array());
      } else if (found !== null) {
        const well = status >= 200 && status < 400;
        settle(well ? { kind: "well" } : ill(`it answered with status ${status}`));
      } else if (text.length >= enough || (text.length >= 13 && !text.startsWith("HTTP/"))) {
        settle(ill("its answer is not HTTP"));
      }
    },
    drained() {},
    ended: () => settle(ill("it closed the connection without an answer")),
    closed: () => settle(ill("it broke off the connection without an answer")),
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
      workdir: asking.workdir,
      env: asking.env,
      pty: false,
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
    // Its group is its own while Bun has not reaped it; what is in it after that is ended with the service.
    if (effects.own.has(child.pid)) {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
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

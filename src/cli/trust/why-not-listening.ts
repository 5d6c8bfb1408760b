/** A port that nobody but root may listen on -> why the daemon does not have it, or by what it has it. */
import packageJson from "../../../package.json" with { type: "json" };
import { helperPorts } from "../../helper/ask-for-ports.ts";
import { type HelperLook, lookForHelper } from "../../helper/look.ts";
import { setupCommand } from "../../helper/why-no-ports.ts";
import { firstFreePort } from "../../system/first-free-port.ts";
import { answering, listenersOn } from "../../system/listeners.ts";
import { mayGainRights } from "../../system/may-gain-rights.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { portRightCommand } from "../../text/port-right.ts";

export type WhyNot = { why: string; fix: string | null };

/** Undefined where everybody may listen there. `isRunning`: a daemon is there, and has not got it. */
export async function whyNotListening(
  port: number,
  { machine, isRunning }: { machine: Machine; isRunning: boolean },
): Promise<WhyNot | undefined> {
  const { platform, privileged, root } = machine;
  if (platform === "darwin" || privileged || port >= (await firstFreePort(root))) return undefined;
  if (!helperPorts.includes(port)) {
    return { why: "only root may listen there", fix: portRightCommand([port]) };
  }
  const uid = process.getuid?.() ?? -1;
  const look = await lookForHelper({ root, uid, version: packageJson.version });
  return wordsFor(look, { isRunning, mayGain: mayGainRights() });
}

type Circumstances = {
  isRunning: boolean;
  /** False where no program that this process starts has more rights than it. */
  mayGain: boolean;
};

/** Pure. */
export function wordsFor(look: HelperLook, { isRunning, mayGain }: Circumstances): WhyNot {
  switch (look.kind) {
    case "none":
      return { why: "only root may listen there, and no helper is installed", fix: setupCommand };
    case "unsafe":
      return { why: `the helper is not trusted: ${look.why}`, fix: setupCommand };
    case "version": {
      const its = look.its === "" ? "of another version" : `version ${look.its}`;
      return {
        why: `${look.path} is ${its}, and this is ${packageJson.version}`,
        fix: setupCommand,
      };
    }
    case "powerless":
      return { why: `${look.path} has lost its right to listen there`, fix: setupCommand };
    case "unlisted":
      return { why: "the helper is installed, and does not serve this user", fix: setupCommand };
    case "ready": {
      if (!mayGain) {
        const why = "the helper is installed, and has no rights here: no_new_privs is set";
        return { why, fix: null };
      }
      const why = "the helper is ready, and has not been asked";
      return { why, fix: `localhostess server ${isRunning ? "restart" : "start"}` };
    }
  }
}

/** How a daemon of an ordinary user came to a port of ours; empty where there is nothing to say. */
export async function listensBy(port: number, { platform, privileged, root }: Machine) {
  if (platform !== "linux" || privileged || port >= 1024) return "";
  if (port >= (await firstFreePort(root))) {
    return ", as every user may (net.ipv4.ip_unprivileged_port_start)";
  }
  const rows = answering(listenersOn(port), { address: "127.0.0.1", port });
  // The system's service manager makes its sockets as root, and the helper as the user who asks.
  return rows.some(({ uid }) => uid === 0) ? ", by a socket unit" : ", by the helper";
}

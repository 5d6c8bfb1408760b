/** A name -> the server that has it, its process, and whether it takes connections. */
import { turnOf } from "../../routes/turn.ts";
import type { Chosen } from "../../routes/origins.ts";
import type { Service } from "../../routes/service.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { lastLinesOf, nextStep, stateCause } from "../../routes/state-sentence.ts";
import { remoteStateText, remoteText } from "../../routes/remote-report.ts";
import { printable } from "../../text/printable.ts";
import { unansweredReason, unansweredRemedy } from "../../routes/unanswered.ts";
import { faultText, isLost, remedyText } from "../../routes/unusable.ts";
import { socketUsers } from "../../system/socket-users.ts";
import { isSocketPath, placeText } from "../../text/place.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { ask } from "../shared/ask.ts";
import { hiddenServer } from "../shared/hidden-server.ts";
import { type Present, reach } from "../shared/reach.ts";
import { shownWorktree } from "./shown-worktree.ts";
import { hiddenContainer } from "./hidden-container.ts";
import { isSecured } from "./is-secured.ts";
import { connectDeadline, failed, passed, type Step, type Walk } from "./step.ts";

export type Routed = { step: Step; service: Service | undefined };

export async function routes(
  name: string,
  { sight, settings }: Pick<Walk, "sight" | "settings">,
): Promise<Routed> {
  const chosen = shownWorktree(name, { sight, settings });
  if (chosen !== undefined) return shown(name, chosen, sight);
  const reached = reach(name, sight);
  switch (reached.kind) {
    case "server":
      return { step: served(name, reached), service: reached.service };
    case "absent":
      return { step: absent(reached), service: undefined };
    case "unroutable": {
      const fix = "start it again with another NAME, of letters, digits and hyphens";
      return { step: failed("routes", reached.why, fix), service: undefined };
    }
    case "unknown": {
      const { meant, nearest, remote, unanswered } = reached;
      if (remote !== undefined && remote.state !== "up") {
        const detail = `${name} is on ${remoteText(remote)}, which is ${remoteStateText(remote)}`;
        const fix = remote.fix ?? `to try again now: localhostess remote retry ${remote.name}`;
        return { step: failed("routes", printable(detail, 700), fix), service: undefined };
      }
      if (remote !== undefined) {
        const label = pastedWord(name.slice(0, -remote.name.length - 1));
        const fix = `start a server there under that name: NAME=${label} bun dev`;
        return { step: failed("routes", reached.why, fix), service: undefined };
      }
      if (unanswered !== undefined) {
        const detail = `no server is named ${name}; ${unansweredReason(unanswered)}`;
        const fix = unansweredRemedy(unanswered) ?? null;
        return { step: failed("routes", detail, fix), service: undefined };
      }
      const hidden =
        meant?.fault.kind === "bad name"
          ? undefined
          : await hiddenServer(name, { sight, settings });
      if (hidden !== undefined) {
        const detail = `no server is named ${name}; ${hidden.detail}`;
        return { step: failed("routes", detail, hidden.fix), service: undefined };
      }
      // One whose name cannot be read may have any: a name that is nearly there was rather meant.
      if (meant !== undefined && (nearest === undefined || !isLost(meant.fault))) {
        const detail = `no server is named ${name}; ${faultText(meant)}`;
        return { step: failed("routes", detail, remedyText(meant)), service: undefined };
      }
      const container = nearest === undefined ? await hiddenContainer(name, settings) : undefined;
      if (container !== undefined) {
        const detail = `no server is named ${name}; ${container.detail}`;
        return { step: failed("routes", detail, container.fix), service: undefined };
      }
      const fix =
        nearest === undefined
          ? `start a server under that name: NAME=${pastedWord(name)} bun dev`
          : `try: localhostess why ${pastedWord(nearest)}`;
      return { step: failed("routes", reached.why, fix), service: undefined };
    }
  }
}

/** A plain name that shows a worktree, in all browsers that have chosen no other. */
function shown(name: string, { origin, label, name: own }: Chosen, sight: Walk["sight"]): Routed {
  const shows = `${origin.name} shows the worktree ${label} in all browsers`;
  const end = `to end that: localhostess use -- ${pastedWord(origin.name)}`;
  const reached = own === undefined ? undefined : reach(own, sight);
  if (reached?.kind === "server") {
    const detail = `${shows}, so ${reached.service.name} answers for ${name}`;
    return { step: passed("routes", detail, end), service: reached.service };
  }
  if (reached?.kind === "absent") {
    const step = absent(reached);
    return { step: { ...step, detail: `${shows}; ${step.detail}` }, service: undefined };
  }
  const detail = `${shows}, and no server in it has that name`;
  return { step: failed("routes", detail, `start it there; ${end}`), service: undefined };
}

function served(name: string, { service, supervised }: Extract<Present, { kind: "server" }>): Step {
  const { name: own } = service;
  const origin = originText(service);
  if (own !== name) {
    const from = origin === undefined ? "" : ` (${origin})`;
    return passed("routes", `no server is named ${name}, so ${own} answers${from}`);
  }
  const has =
    origin === undefined
      ? `a server has the NAME ${name}`
      : `a server has the name ${name}: ${origin}`;
  if (supervised?.routeName !== own) return passed("routes", has);
  // While the project's service is down, a person may run another server under its name.
  const isIts = turnOf(supervised) === undefined;
  const cause = `${stateCause(supervised)}${madeText(supervised)}`;
  return passed("routes", isIts ? cause : `${has}; ${cause}`);
}

function madeText({ plugin }: Supervised): string {
  return plugin === undefined ? "" : `; the plugin ${plugin} has made this service`;
}

/** Where the name is from, unless the server has it in a variable of its own. */
function originText({ source, because }: Service): string | undefined {
  return source === "NAME" || source === "LOCALHOSTESS_NAME" ? undefined : (because ?? source);
}

/** A service of a project that does not listen: the sentence of the proxy's own page, and its last lines. */
function absent({ supervised, turn }: Extract<Present, { kind: "absent" }>): Step {
  const next = nextStep(supervised);
  const fix = next === undefined ? null : `${next.what}: ${next.command}`;
  // A request starts it, so that nothing is in the way.
  if (turn === "wake") {
    return passed("routes", `${stateCause(supervised)}${madeText(supervised)}`, fix);
  }
  const lines = lastLinesOf(supervised);
  const cause = `${stateCause(supervised, { isAbsent: true })}${madeText(supervised)}`;
  const step = failed("routes", cause, fix);
  return lines.length === 0 ? step : { ...step, lines };
}

export function owner(service: Service): Step {
  const { endpoint, process, command, cwd, warnings } = service;
  const startedAt = process?.startedAt ?? service.startedAt;
  // The Swedish format is that of ISO 8601, in local time.
  const since =
    startedAt === undefined ? "" : `, since ${new Date(startedAt).toLocaleString("sv")}`;
  const folder = cwd === undefined ? "" : ` in ${cwd}`;
  const place = placeText(endpoint);
  const detail =
    process === undefined
      ? `${place}${holderOf(service)}${since}`
      : `${place} belongs to pid ${process.pid}: ${command}${folder}${since}`;
  return passed("owner", detail, warnings.length === 0 ? null : warnings.join("; "));
}

/** The words behind the place of a service without a process. */
function holderOf({ endpoint, source, command, user }: Service): string {
  if (source !== "given") return `: ${command}`;
  if (endpoint.isElsewhere) return " is a host that was named, and need not be this machine";
  if (isSocketPath(endpoint.address)) return " is a unix socket; its process is not known";
  return user === undefined
    ? "; its process is not visible"
    : ` belongs to a process of user ${user}, which is not visible`;
}

/** The proxy's own condition for a unix socket. */
function isOwnSocket(path: string, owners: readonly number[] = []): boolean {
  const users = [globalThis.process.getuid?.(), 0, ...owners];
  return socketUsers(path).every((uid) => users.includes(uid));
}

/** Tried in the proxy's order: it uses the first address that accepts the connection. */
export async function dials({ endpoint, process, source }: Service): Promise<Step> {
  const tried: string[] = [];
  for (const address of endpoint.dial) {
    const place = placeText({ address, port: endpoint.port });
    if (isSocketPath(address) && !isOwnSocket(address, endpoint.owners)) {
      const why = `${place} was put there by another user`;
      const fix = `if that is meant, name it anew: localhostess name <name> ${pastedWord(`unix:${address}`)}`;
      return failed("dials", why, fix);
    }
    const answer = await ask({ address, port: endpoint.port, deadline: connectDeadline });
    if (answer.kind !== "failed") {
      const speaks = (await isSecured(address, endpoint.port)) ? " with TLS" : "";
      return passed("dials", [...tried, `${place} accepts connections${speaks}`].join("; "));
    }
    tried.push(`${place}: ${answer.why}`);
  }
  const fix =
    process === undefined
      ? `start what listens there${source === "given" ? "; for all given names: localhostess name" : ""}`
      : `pid ${process.pid} may be suspended (kill -CONT ${process.pid}) or too busy; otherwise restart it`;
  return failed("dials", tried.join("; "), fix);
}

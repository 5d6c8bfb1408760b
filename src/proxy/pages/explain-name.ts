/** A name that leads to no server now -> an error code, a line for a terminal and details for a program. Pure. */
import { choicePath, useField } from "../../routes/origins.ts";
import { type RemoteReport, remoteStateText, remoteText } from "../../routes/remote-report.ts";
import { originOf, serviceUrl } from "../../routes/service-row.ts";
import { type Unanswered, unansweredText } from "../../routes/unanswered.ts";
import {
  faultText,
  isLost,
  meantBy,
  namelessText,
  namingCommand,
  type Unusable,
  unusableText,
} from "../../routes/unusable.ts";
import type { Explanation, RemoteAway, UnknownName, Unshown } from "./problem.ts";
import { listedNames, longSentence, mostNames, sentence, startCommand, word } from "./words.ts";

/** Servers that are shown as the one that may have been meant. */
const mostMeant = 3;

/** Those that a request for an unknown name was probably for. */
export function meantServers({ name, unusable = [] }: UnknownName): Unusable[] {
  return meantBy(name.toLowerCase(), unusable).slice(0, mostMeant);
}

/**
 * The name that is nearly there, unless a server that runs was rather meant. One whose name is not known may be any, so
 * that the name is told before it.
 */
export function guessedName(problem: UnknownName): string | undefined {
  const isKnown = meantServers(problem).some(({ fault }) => !isLost(fault));
  return isKnown ? undefined : problem.nearest;
}

/** The command that starts the server whose name it is; undefined where none does. */
export function commandOf(its: Unanswered): string | undefined {
  return "command" in its ? longSentence(its.command) : undefined;
}

const unansweredCodes: Record<Unanswered["kind"], string> = {
  worktree: "other_checkout",
  branch: "other_checkout",
  left: "other_checkout",
  strict: "strict_subdomains",
  store: "not_http",
};

export function explainUnknown(problem: UnknownName): Explanation {
  const names = problem.names.map(word);
  if (problem.path !== undefined) {
    const path = sentence(problem.path);
    return {
      code: "no_such_page",
      message: `${originOf("localhost", { scheme: "http", port: problem.port })} is localhostess itself and has no page ${path}; servers have names: ${listedNames(names)}`,
      details: { path, names },
    };
  }
  const name = word(problem.name);
  const { unanswered } = problem;
  if (unanswered !== undefined) {
    return {
      code: unansweredCodes[unanswered.kind],
      message: longSentence(`no server is named ${name}; ${unansweredText(unanswered)}`),
      details: {
        name,
        by: word(unanswered.by),
        command: commandOf(unanswered) ?? null,
      },
    };
  }
  const nearest = problem.nearest === undefined ? undefined : word(problem.nearest);
  const meant = meantServers(problem);
  const guessed = guessedName(problem);
  const guess = guessed === undefined ? "" : `; did you mean ${word(guessed)}?`;
  const nameless = namelessText(problem.unusable ?? []);
  const others = nameless === undefined ? "" : `; ${nameless}`;
  // Whoever has a server running has run the command that starts it.
  const { remote } = problem;
  if (remote !== undefined) {
    return {
      code: "unknown_name",
      message: longSentence(
        `no server on ${remoteText(remote)} is named ${name}${guess}${guess === "" ? ";" : ""} ${namesThere(remote)}`,
      ),
      details: {
        name,
        names,
        nearest: nearest ?? null,
        url: nearest === undefined ? null : serviceUrl(nearest, problem.port),
        unusable: [],
        remote: remote.name,
      },
    };
  }
  const more =
    problem.kept !== undefined
      ? `; ${problem.kept}`
      : meant.length > 0
        ? `${guess === "" ? ";" : ""} ${meant.map(unusableText).join("; ")}`
        : ` (${listedNames(names)}; to start it: ${startCommand(problem.name)})${others}`;
  return {
    code: "unknown_name",
    message: longSentence(`no server is named ${name}${guess}${more}`),
    details: {
      name,
      names,
      nearest: nearest ?? null,
      url: nearest === undefined ? null : serviceUrl(nearest, problem.port),
      unusable: meant.map((its) => ({
        pid: its.pid,
        ports: its.ports,
        fault: its.fault.kind,
        why: longSentence(faultText(its)),
        fix: longSentence(namingCommand(its)),
      })),
    },
  };
}

export function explainAway({ name, remote }: RemoteAway): Explanation {
  const fix = remote.fix === undefined ? "" : `; ${remote.fix}`;
  return {
    code: "remote_away",
    message: longSentence(
      `${word(name)} is on ${remoteText(remote)}, which is ${remoteStateText(remote)}${fix}`,
    ),
    details: {
      name: word(name),
      remote: remote.name,
      host: word(remote.host),
      state: remote.state,
      why: remote.why === undefined ? null : longSentence(remote.why),
      fix: remote.fix === undefined ? null : longSentence(remote.fix),
    },
  };
}

/** The names that another machine has. */
function namesThere({ services }: RemoteReport): string {
  const names = services.map(({ name }) => name);
  return listedNames(names, { none: "no server with a name runs there" });
}

/** The command that ends what is chosen for all browsers. */
export function endCommand({ origin }: Pick<Unshown, "origin">): string {
  return `localhostess use -- ${word(origin)}`;
}

/** How to see the name's own server again. */
function endOf(problem: Unshown): string {
  if (problem.by === "all") return `to end the choice: ${endCommand(problem)}`;
  return `the request asks for it, by its ${useField} field or by the cookie of ${choicePath}, where a browser ends it`;
}

export function explainUnshown(problem: Unshown): Explanation {
  const { isWorktree } = problem;
  const [name, label] = [word(problem.unshown), word(problem.label)];
  const labels = problem.labels.map(word);
  const why = isWorktree
    ? `no server of that worktree runs as ${word(problem.version ?? `${name} there`)}: start it in the worktree`
    : `there is no such worktree${labels.length === 0 ? "" : `, only ${labels.slice(0, mostNames).join(", ")}`}`;
  return {
    code: "no_such_checkout",
    message: longSentence(`${name} is to show ${label}, and ${why}; ${endOf(problem)}`),
    details: { name, worktree: label, worktrees: labels, chosen_by: problem.by },
  };
}

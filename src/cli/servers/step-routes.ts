/** A name -> the server that has it, its process, and whether it takes connections. */
import { upCommand } from "../../routes/pending.ts";
import type { Service } from "../../routes/service.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { faultText, remedyText } from "../../routes/unusable.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { ask } from "../shared/ask.ts";
import type { Sight } from "../shared/look.ts";
import { find } from "./find.ts";
import { isSecured } from "./is-secured.ts";
import { bracketed, connectDeadline, failed, passed, type Step } from "./step.ts";

export function routes(name: string, sight: Sight): { step: Step; service: Service | undefined } {
  const found = find(name, sight);
  const exact = found.kind === "found" && found.service.name.toLowerCase() === name;
  const declared = exact ? undefined : declaredAs(name, sight);
  if (declared !== undefined) return { step: notYet(declared), service: undefined };
  if (found.kind === "unroutable") {
    const fix = "start it again with another NAME, of letters, digits and hyphens";
    return { step: failed("routes", found.why, fix), service: undefined };
  }
  if (found.kind === "unknown" && found.meant !== undefined) {
    const detail = `no server is named ${name}; ${faultText(found.meant)}`;
    return { step: failed("routes", detail, remedyText(found.meant)), service: undefined };
  }
  if (found.kind === "unknown") {
    const fix =
      found.nearest === undefined
        ? `start a server under that name: NAME=${pastedWord(name)} bun dev`
        : `try: localhostess why ${pastedWord(found.nearest)}`;
    return { step: failed("routes", found.why, fix), service: undefined };
  }
  const { service } = found;
  const detail =
    service.name === name
      ? `a server has the NAME ${name}`
      : `no server is named ${name}, so ${service.name} answers`;
  return { step: passed("routes", detail), service };
}

/** The service of a project that has the name, as the proxy finds it: before any other server. */
function declaredAs(name: string, { supervised }: Sight): Supervised | undefined {
  return supervised.find(({ routeName }) => routeName?.toLowerCase() === name);
}

/** A service that nobody has found listening. */
function notYet({ id, service, directory, state, why }: Supervised): Step {
  const reason = why === undefined ? "" : `: ${printable(why, 500)}`;
  const isDown = state === "stopped" || state === "exited" || state === "failed";
  const up = `${upCommand(directory)} ${pastedWord(service)}`;
  const fix = isDown ? up : `its output may say more: localhostess logs ${pastedWord(id)}`;
  return failed("routes", `${id} has this name and does not listen; it is ${state}${reason}`, fix);
}

export function owner({ endpoint, process, command, cwd, warnings }: Service): Step {
  // The Swedish format is that of ISO 8601, in local time.
  const started = new Date(process.startedAt).toLocaleString("sv");
  const place = cwd === undefined ? "" : ` in ${cwd}`;
  const socket = `${bracketed(endpoint.address)}:${endpoint.port}`;
  const detail = `${socket} belongs to pid ${process.pid}: ${command}${place}, since ${started}`;
  return passed("owner", detail, warnings.length === 0 ? null : warnings.join("; "));
}

/** Tried in the proxy's order: it uses the first address that accepts the connection. */
export async function dials({ endpoint, process }: Service): Promise<Step> {
  const tried: string[] = [];
  for (const address of endpoint.dial) {
    const place = `${bracketed(address)}:${endpoint.port}`;
    const answer = await ask({ address, port: endpoint.port, deadline: connectDeadline });
    if (answer.kind !== "failed") {
      const speaks = (await isSecured(address, endpoint.port)) ? " with TLS" : "";
      return passed("dials", [...tried, `${place} accepts connections${speaks}`].join("; "));
    }
    tried.push(`${place}: ${answer.why}`);
  }
  return failed(
    "dials",
    tried.join("; "),
    `pid ${process.pid} may be suspended (kill -CONT ${process.pid}) or too busy; otherwise restart it`,
  );
}

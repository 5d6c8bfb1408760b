/** A name -> the server that has it, its process, and whether it takes connections. */
import type { Service } from "../../routes/service.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { ask } from "../shared/ask.ts";
import type { Sight } from "../shared/look.ts";
import { find } from "./find.ts";
import { isSecured } from "./is-secured.ts";
import { bracketed, connectDeadline, failed, passed, type Step } from "./step.ts";

export function routes(name: string, sight: Sight): { step: Step; service: Service | undefined } {
  const found = find(name, sight);
  if (found.kind === "unroutable") {
    const fix = "start it again with another NAME, of letters, digits and hyphens";
    return { step: failed("routes", found.why, fix), service: undefined };
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

/** A URL, through the proxy -> what its server answers. */
import { originOf } from "../../routes/service-row.ts";
import { processNow } from "../../system/process-now.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { ask } from "../shared/ask.ts";
import { failed, isOurs, passed, requestOf, type Step, type Walk } from "./step.ts";

/** Milliseconds. A dev server may compile a page before it answers. */
const answerDeadline = 10_000;

/** `pid`: the server's process; undefined for the proxy itself. */
export async function answers(
  { target, port, host, byPac, settings }: Walk,
  { address, pid }: { address: string; pid: number | undefined },
): Promise<Step> {
  const secure = target.scheme === "https";
  const origin = originOf(host, { scheme: target.scheme, port });
  const authority = byPac ? host : origin.slice(`${target.scheme}://`.length);
  // Inside a tunnel, the request is the same as to a server.
  const request =
    byPac && !secure
      ? requestOf(`http://${authority}${target.path}`, authority)
      : requestOf(target.path, authority);
  const url = `${secure ? "https" : "http"}://${authority}${target.path}`;
  const answer = await ask({
    address,
    port,
    deadline: answerDeadline,
    request,
    serverName: secure ? host : undefined,
    tunnel: secure && byPac ? `${host}:443` : undefined,
  });
  if (answer.kind === "connected") throw new Error("a request was not sent");
  if (answer.kind === "failed") {
    const isStopped = pid !== undefined && processNow(pid)?.stopped === true;
    const fix = unansweredFix({ pid: isStopped ? pid : undefined, log: settings.log });
    return failed("answers", `GET ${printable(url)}: ${answer.why}`, fix);
  }
  const status = `${answer.status} ${printable(answer.reason, 60)}`.trim();
  const detail = `GET ${printable(url)}: ${status}`;
  if (target.kind === "name" && isOurs(answer)) {
    // The sentence says what helps, as for anybody who sends the request.
    const said = answer.text === undefined ? "" : `: ${ownSentence(answer.text)}`;
    return failed("answers", `${detail}, by the proxy itself${said}`, ownFix(answer.status));
  }
  if (secure && answer.status < 400) {
    const fix = "if a client does not trust the certificate: localhostess trust";
    return passed("answers", detail, fix);
  }
  if (answer.status < 400 || target.kind === "own") return passed("answers", detail);
  const own = "this is the server's own answer";
  return passed(
    "answers",
    detail,
    answer.status === 415 ? `${own}${byGrpc}` : `${own}; see its output`,
  );
}

const byGrpc = ": one of gRPC says so to every other request, and calls of gRPC reach it";

/** For a request that gets no answer. `pid`: the server's process, where a signal has stopped it. */
export function unansweredFix({ pid, log }: { pid: number | undefined; log: string }): string {
  return pid === undefined
    ? `see the output of the server; a daemon in the background writes its own to ${pastedWord(log)}`
    : `pid ${pid} is stopped by a signal or a debugger; to let it go on: kill -CONT ${pid}`;
}

/** Characters of a sentence that are shown. */
const longest = 1000;

/** The one line that a program in a terminal gets, without its beginning. */
function ownSentence(text: string): string {
  const [line = ""] = text.split("\n", 1);
  return printable(line.replace(/^localhostess: /, ""), longest);
}

/** Where the sentence itself names no command. */
function ownFix(status: number): string | null {
  if (status === 502 || status === 504) return "see the output of the server, or start it again";
  // A name that was found a moment ago.
  return status === 404 ? "the server has just ended; start it again" : null;
}

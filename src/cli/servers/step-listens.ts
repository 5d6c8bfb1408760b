/** The port of a URL -> whether the proxy answers there, or who else has it. */
import { originOf } from "../../routes/service-row.ts";
import { listed } from "../../text/list.ts";
import { type Answer, ask } from "../shared/ask.ts";
import { holderWords, ownersOf } from "../../discovery/port-holder.ts";
import { defaultPort } from "../shared/settings.ts";
import {
  bracketed,
  connectDeadline,
  failed,
  isOurs,
  passed,
  requestOf,
  type Step,
  type Walk,
} from "./step.ts";

/** The addresses that a URL's host is dialled on, and that the proxy accepts connections on. */
const loopback = ["127.0.0.1", "::1"];

type Listening = { step: Step; address: string | undefined };

/** Requests the front page, because another program may have the port. */
export async function listens({ target, sight, port }: Walk): Promise<Listening> {
  const { scheme } = target;
  const asked = loopback.map(async (address) => {
    const request = requestOf("/", `localhost:${port}`);
    const answer = await ask({ address, port, deadline: connectDeadline, request });
    return { address, answer: answer as Answer };
  });
  const answers = await Promise.all(asked);
  const ours = answers.filter(({ answer }) => isOurs(answer)).map(({ address }) => address);
  const fail = (detail: string, fix: string): Listening => ({
    step: failed("listens", detail, fix),
    address: undefined,
  });
  const right =
    target.kind === "own"
      ? `${originOf("localhost", { scheme, port: sight.urlPorts[scheme] })}/`
      : `${originOf(`${target.name}.localhost`, { scheme, port: sight.urlPorts[scheme] })}${target.path}`;
  const fix =
    sight.proxy !== undefined && sight.proxy.port !== port
      ? `the proxy is on port ${sight.proxy.port}: ${right}`
      : `start it with: localhostess server start${port === defaultPort ? "" : ` --port ${port}`}`;
  const owners = ownersOf(sight.scan, port);
  if (ours.length > 0) {
    const places = listed(ours.map((address) => `${bracketed(address)}:${port}`));
    const [first] = owners;
    const isOther =
      first !== undefined &&
      sight.proxy !== undefined &&
      sight.proxy.port !== port &&
      !owners.some(({ pid }) => pid === sight.proxy?.pid);
    if (isOther) {
      const who = `another localhostess (pid ${first.pid}), which has a state directory of its own`;
      const step = passed("listens", `${who}, answers on ${places}`, `here ${fix}`);
      return { step, address: ours[0] };
    }
    return { step: passed("listens", `localhostess answers on ${places}`), address: ours[0] };
  }
  const [holder] = owners;
  if (holder !== undefined && holder.pid === sight.proxy?.pid) {
    const detail = `localhostess (pid ${holder.pid}) has port ${port}, and does not answer`;
    return fail(detail, "see: localhostess server status");
  }
  if (holder !== undefined) {
    const owner = sight.supervised.find(({ listens }) => listens.includes(port))?.id;
    const who = holderWords(holder, { owner });
    return fail(`port ${port} is in use by another program: ${who}`, fix);
  }
  const taken = answers.some(
    ({ answer }) => answer.kind === "answer" || answer.why !== "connection refused",
  );
  const detail = taken
    ? `a program other than localhostess is on port ${port}`
    : `nothing listens on port ${port}`;
  return fail(detail, fix);
}

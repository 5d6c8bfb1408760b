/**
 * Our own cases of HTTP/2 in front of a server of HTTP/1.1 -> a score. A case passes if the client is told what it
 * should be, and the server behind the proxy saw no other request than the one that was sent.
 */
import { FrameType } from "../../src/wire/h2/frame.ts";
import { readRequests } from "../support/strict-reader.ts";
import type { Case } from "./h2/case.ts";
import { connectCases } from "./h2/connect-cases.ts";
import { connectH2, connectH2c, type Frame, type H2Client } from "./h2/client.ts";
import { framesCases } from "./h2/frames-cases.ts";
import { semanticsCases } from "./h2/semantics-cases.ts";
import { smugglingCases } from "./h2/smuggling-cases.ts";
import { takeSeen, type Seen } from "./echo-server.ts";
import { type Score, scoreOf, type Suite, type Target } from "./suite.ts";

const atOnce = 8;
/** Milliseconds that a proxy has to refuse or to answer. */
const within = 1_500;
const usualQuiet = 50;

export const h2Cases: readonly Case[] = [
  ...smugglingCases,
  ...semanticsCases,
  ...connectCases,
  ...framesCases,
];

export const h2Semantics: Suite = {
  label: "h2-semantics",
  title: "own h2 semantics and downgrade smuggling",
  behind: "echo",
  run: (target) => runCases(target, () => takeSeen(target.control)),
};

/** The same by prior knowledge on the plain port: RFC 9113 section 3.3. */
export const h2cSemantics: Suite = {
  label: "h2c-semantics",
  title: "the same without TLS, by prior knowledge",
  behind: "echo",
  async run(target) {
    const client = await connectH2c(target.port);
    client.greet();
    const offered = await client.next(({ type }) => type === FrameType.settings, within);
    client.close();
    if (offered === undefined) return "not offered";
    const connect = (): Promise<H2Client> => connectH2c(target.port);
    return await runCases({ ...target, connect }, () => takeSeen(target.control));
  },
};

type Told = { case: Case; id: string; outcome: string; wrong: string | undefined };

/** `quiet`: milliseconds in which a second answer, or a late end, would come. */
type Front = Pick<Target, "securePort" | "host"> & {
  cases?: readonly Case[];
  quiet?: number;
  /** Over TLS unless given. */
  connect?: () => Promise<H2Client>;
};

/** `take`: what the server behind has seen since it was last asked. */
export async function runCases(target: Front, take: () => Promise<Seen[]>): Promise<Score> {
  await take();
  const told: Told[] = [];
  const left = (target.cases ?? h2Cases).entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, one] of left) told[index] = await tell(one, { target, id: `h${index}` });
    }),
  );
  const seen = await take();
  return scoreOf(
    told.map((it) => ({ name: it.case.name, why: it.wrong ?? wrongAtServer(it, seen) })),
  );
}

async function tell(one: Case, { target, id }: { target: Front; id: string }): Promise<Told> {
  let client: H2Client | undefined;
  try {
    client = await (target.connect?.() ?? connectH2(target.securePort, target.host));
    client.greet();
    const scheme = target.connect === undefined ? "https" : "http";
    one.send(client, { host: target.host, id, scheme });
    await client.next(isLast, within);
    await client.gone(target.quiet ?? usualQuiet);
    const outcome = outcomeOf(client);
    return { case: one, id, outcome, wrong: wrongAtClient(one, { client, outcome }) };
  } catch (error) {
    return { case: one, id, outcome: "", wrong: String(error) };
  } finally {
    client?.close();
  }
}

/** The end of stream 1, or of the connection. */
function isLast({ type, flags, stream }: Frame): boolean {
  if (type === FrameType.goAway) return true;
  if (stream !== 1) return false;
  const ends = type === FrameType.headers || type === FrameType.data;
  return type === FrameType.resetStream || (ends && (flags & 1) > 0);
}

/** `ended`, `reset`, a status, or `nothing`. */
export function outcomeOf({ heard, closed }: Pick<H2Client, "heard" | "closed">): string {
  const error = heard.find(({ type }) => type === FrameType.goAway)?.payload.readUInt32BE(4);
  if (error !== undefined && error !== 0) return "ended";
  const status = heard
    .filter(({ type, stream }) => type === FrameType.headers && stream === 1)
    .flatMap(({ fields }) => fields)
    .map((line) => /^:status: *([2-5]\d\d)$/.exec(line)?.[1])
    .find((it) => it !== undefined);
  if (status !== undefined) return status;
  if (heard.some(({ type, stream }) => type === FrameType.resetStream && stream === 1))
    return "reset";
  return closed || error === 0 ? "ended" : "nothing";
}

function wrongAtClient(
  { verdict, hears, connection }: Case,
  { client, outcome }: { client: H2Client; outcome: string },
): string | undefined {
  const isRefused = outcome === "ended" || outcome === "reset" || Number(outcome) >= 400;
  if (connection === true)
    return outcome === "ended" ? undefined : `came ${outcome}, not the connection's end`;
  if (outcome === "nothing") return "nothing came";
  if (verdict === "refused") return isRefused ? undefined : `came ${outcome}`;
  if (verdict === "served" && outcome !== "200") return `came ${outcome}`;
  return outcome === "200" ? hears?.(client) : undefined;
}

function wrongAtServer({ case: one, id }: Told, seen: readonly Seen[]): string | undefined {
  let mine = 0;
  let raw = "";
  for (const { bytes, fault } of seen) {
    const { messages, rest } = readRequests(bytes);
    for (const message of messages) {
      if (message.target.includes(`hidden-${id}-`)) return "the server saw the hidden request";
      if (!message.target.includes(`-${id}-`)) continue;
      mine++;
      raw = message.raw;
    }
    if (fault !== undefined && rest.includes(`-${id}-`)) {
      return `the server was sent what is not well-formed: ${fault}`;
    }
  }
  if (mine > 1) return `the server saw ${mine} requests`;
  if (one.verdict === "refused" && mine > 0 && one.connection !== true)
    return "the server saw the request";
  if (mine === 0) return undefined;
  if (one.sees?.test(raw) === false) return `the server saw ${JSON.stringify(raw.slice(0, 200))}`;
  if (/\r\nx-injected: 1/i.test(raw)) return "the server saw an injected field";
  return undefined;
}

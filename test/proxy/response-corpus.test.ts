/**
 * The byte corpus of answers: every case whole, an octet at a time, and with another answer behind it, to a real
 * client.
 */
import { expect, test } from "bun:test";
import type { ResponseCase } from "../corpus/response-case.ts";
import { responseCases } from "../corpus/responses.ts";
import { inParallel } from "../support/in-parallel.ts";
import { latin1Bytes } from "../support/latin1.ts";
import { connectRaw } from "../support/raw-end.ts";
import { turn } from "../support/turn.ts";
import { echo, RawServer } from "../support/raw-server.ts";
import { readAnswers, type StrictReading } from "../support/strict-reader.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const shapes = ["whole", "octet by octet", "with another answer behind it"] as const;
type Shape = (typeof shapes)[number];

const second = "GET /second HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
const stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";

/** Longer ones come in larger pieces. */
const short = 2_000;

type Seen = StrictReading & {
  /** By FIN, and not by a reset. */
  ended: boolean;
  /** Connections that the upstream accepted. */
  connections: number;
};

async function run({ request, bytes, after, verdict }: ResponseCase, shape: Shape): Promise<Seen> {
  const answered: Promise<void>[] = [];
  const upstream = new RawServer({
    answer: (asked, connection) => {
      if (asked.target !== "/first") {
        connection.send(echo(asked));
        return;
      }
      const answer = async (): Promise<void> => {
        if (shape === "octet by octet") {
          const all = latin1Bytes(bytes);
          const size = all.length > short ? 997 : 1;
          for (let at = 0; at < all.length && !connection.over; at += size) {
            connection.send(all.subarray(at, at + size));
            await turn();
          }
        } else {
          connection.send(shape === "whole" ? bytes : bytes + stray);
        }
        if (after === "end") connection.end();
        if (after === "reset") {
          // What was sent has to arrive first.
          await turn();
          connection.reset();
        }
      };
      answered.push(answer());
    },
  });
  const proxy = await startTestProxy({ services: { api: upstream } });
  const client = await connectRaw(proxy.port);
  try {
    client.send(request + second);
    const methods = [request.slice(0, request.indexOf(" ")), "GET"];
    if (verdict.kind === "passed" && !verdict.last) {
      const wanted = verdict.statuses.length + 1;
      const answersIn = (text: string): number =>
        readAnswers(text, { methods, ended: false }).messages.length;
      await client.enough((text) => answersIn(text) >= wanted);
      // It ends first, and by a reset: an end of its own would keep its port from others for a minute.
      client.reset();
    }
    await client.rest();
    await Promise.all(answered);
    const ended = client.ended;
    return {
      ...readAnswers(client.text, { methods, ended }),
      ended,
      connections: upstream.accepted.length,
    };
  } finally {
    client.reset();
    upstream.stop();
    await proxy.stop();
  }
}

function linesOf(fields: readonly (readonly [name: string, value: string])[]): string[] {
  return fields.map(([name, value]) => (value === "" ? `${name}:` : `${name}: ${value}`));
}

function problemsOf({ verdict }: ResponseCase, seen: Seen, shape: Shape): string[] {
  const problems: string[] = [];
  const compare = (what: string, got: unknown, wanted: unknown): void => {
    if (Bun.deepEquals(got, wanted)) return;
    const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? "nothing";
    problems.push(`${what}: ${show(got)} and not ${show(wanted)}`);
  };
  compare("malformed for the client", seen.fault, undefined);
  const statuses = seen.messages.map(({ status }) => status);
  if (verdict.kind === "refused") {
    compare("statuses", statuses, [502]);
    compare("rest", seen.rest, "");
    return problems;
  }
  if (verdict.kind === "unfinished") {
    const finals = statuses.filter((status) => status >= 200);
    if (finals.length === 0) compare("no end of an answer", seen.rest === "" && seen.ended, false);
    else compare("statuses", finals, [502]);
    return problems;
  }
  compare("statuses", statuses, verdict.last ? verdict.statuses : [...verdict.statuses, 200]);
  compare("rest", seen.rest, "");
  compare("ended", seen.ended, verdict.last);
  const message = seen.messages[verdict.statuses.length - 1];
  if (message === undefined) return problems;
  compare("framing", message.framing, verdict.framing);
  compare("body", message.body, verdict.body);
  compare("trailers", linesOf(message.trailers), verdict.trailers);
  const lines = linesOf(message.fields);
  compare(
    "fields",
    lines.filter((line) => verdict.has.includes(line)),
    verdict.has,
  );
  for (const name of verdict.lacks) {
    compare(
      name,
      message.fields.filter(([other]) => other.toLowerCase() === name),
      [],
    );
  }
  if (verdict.last) return problems;
  // What has said too much once, or in its own way, is not asked again.
  const anew = verdict.anew || shape === "with another answer behind it";
  if (anew) compare("connections", seen.connections, 2);
  compare("the second answer", seen.messages.at(-1)?.body, "GET /second");
  return problems;
}

for (const shape of shapes) {
  test(`every answer of the corpus has its verdict: ${shape}`, async () => {
    const problems: string[] = [];
    await inParallel(responseCases, 48, async (item) => {
      // What stands behind such an answer belongs to it, or comes too late to be anything.
      const behind = shape === "with another answer behind it";
      if (behind && item.after !== "stay") return;
      if (shape === "octet by octet" && item.strays) return;
      const found = await run(item, shape).then(
        (seen) => problemsOf(item, seen, shape),
        (error: Error) => [error.message],
      );
      for (const problem of found) problems.push(`${item.name} (${item.source}): ${problem}`);
    });
    expect(problems.sort()).toEqual([]);
  });
}

test("the column of peers says of us what the verdict says, and that we pass what all of them pass", () => {
  const problems: string[] = [];
  for (const { name, verdict, peers } of responseCases) {
    if (peers === undefined) {
      problems.push(`${name}: run bun test/corpus/beside-peers.ts`);
      continue;
    }
    const [direct, nginx, haproxy, ours] = peers;
    const isWhole = /^\d{3}$/.test(ours);
    const holds =
      verdict.kind === "passed"
        ? ours === String(verdict.statuses.at(-1))
        : ours === "502" || (verdict.kind === "unfinished" && !isWhole);
    if (!holds) problems.push(`${name}: ${ours} is not ${verdict.kind}`);
    const allPass = /^\d{3}$/.test(direct) && direct === nginx && direct === haproxy;
    if (allPass && ours !== direct) problems.push(`${name}: all pass it, and we do not`);
  }
  expect(problems).toEqual([]);
});

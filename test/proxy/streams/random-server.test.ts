/** A server of HTTP/2 that sends anything at all -> answers of HTTP/1.1 that a strict reader reads, or an end. */
import { expect, test } from "bun:test";
import { Flag, FrameType, Setting } from "../../../src/wire/h2/frame.ts";
import { Asker, H2ServerEnd, uint32 } from "../../support/h2-server-end.ts";
import { suiteSeed, Random } from "../../support/random.ts";
import { readAnswers } from "../../support/strict-reader.ts";
import { turns } from "../../support/turn.ts";

const get = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

const names = [
  ":status",
  ":path",
  "x-a",
  "X-B",
  "content-length",
  "connection",
  "te",
  "x y",
  "",
  "trailer",
  "content-type",
  "transfer-encoding",
  "set-cookie",
];
const values = [
  "200",
  "204",
  "304",
  "103",
  "101",
  "99",
  "1000",
  "0",
  "3",
  "7",
  "chunked",
  "close",
  "a\r\nb",
  "\0",
  " a ",
  "application/grpc",
  "v".repeat(300),
  "\xff",
];

function act(end: H2ServerEnd, random: Random): void {
  const stream = random.chance(0.02) ? random.pick([0, 2, 99]) : random.pick([1, 3, 5]);
  const ends = random.chance(0.3);
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2: {
      const fields = Array.from(
        { length: random.pick([0, 0, 1, 2]) },
        () => [random.pick(names), random.pick(values)] as const,
      );
      const first = random.chance(0.9)
        ? ([[":status", random.pick(values.slice(0, 4))]] as const)
        : [];
      end.head([...first, ...fields], { stream, ends });
      return;
    }
    case 3:
    case 4:
    case 5:
      end.data("x".repeat(random.pick([0, 1, 3, 7, 100, 16_384])), { stream, ends });
      return;
    case 6:
      end.reset(random.below(15), stream);
      return;
    case 7:
      end.window(random.pick([0, 1, 65_535, 2 ** 31 - 1]), stream);
      return;
    case 8:
      if (random.chance(0.8)) return;
      end.settings([
        random.pick(Object.values(Setting)),
        random.pick([0, 1, 16_384, 65_535, 2 ** 31 - 1, 2 ** 32 - 1]),
      ]);
      return;
    case 9:
      if (random.chance(0.2)) end.goAway(random.pick([0, 1, 3, 2 ** 31 - 1]));
      return;
    case 10:
      if (random.chance(0.8)) return;
      end.frame(random.below(12), {
        flags: random.below(256),
        stream,
        payload: random.bytes(random.below(40)),
      });
      return;
    case 11:
      if (random.chance(0.8)) return;
      end.frame(FrameType.headers, {
        flags: random.pick([0, Flag.endHeaders]),
        stream,
        payload: random.bytes(random.below(30)),
      });
      return;
    case 12:
      end.frame(FrameType.ping, { stream: 0, payload: random.bytes(8) });
      return;
    default:
      if (random.chance(0.9)) return;
      end.frame(FrameType.continuation, {
        stream,
        flags: random.pick([0, Flag.endHeaders]),
        payload: uint32(0),
      });
  }
}

test("whatever comes, each owner reads well-formed HTTP/1.1 of one answer, and hears of its end once", async () => {
  const seed = suiteSeed();
  let complete = 0;
  for (let run = 0; run < 200; run++) {
    const random = new Random(seed + run);
    const end = new H2ServerEnd().settings();
    const askers = [get, post, get.replace("GET", "HEAD")].map((request) => {
      const asker = new Asker(end.session.open());
      asker.write(request);
      return { asker, head: request.startsWith("HEAD") };
    });
    await turns(1);
    for (let i = 0; i < 25 && !end.over; i++) {
      act(end, random);
      if (random.chance(0.1)) random.pick(askers).asker.link.pause();
      if (random.chance(0.1)) random.pick(askers).asker.link.resume();
      if (random.chance(0.05)) random.pick(askers).asker.link.abort();
      if (random.chance(0.1)) await turns(1);
    }
    end.abort();
    await turns(2);
    for (const { asker, head } of askers) {
      const { messages, fault } = readAnswers(asker.text, {
        methods: [head ? "HEAD" : "GET"],
        ended: true,
      });
      const answers = messages.filter(({ status }) => status >= 200);
      const shown = `SEED=${seed + run}: ${JSON.stringify(asker.text.slice(0, 400))}`;
      complete += answers.length;
      expect(fault, shown).toBeUndefined();
      expect(answers.length, shown).toBeLessThanOrEqual(1);
      expect(asker.over, shown).toBeDefined();
    }
    expect(end.session.isIdle).toBe(true);
    expect(end.faults).toEqual([]);
  }
  // Not all servers are hopeless.
  expect(complete).toBeGreaterThan(20);
});

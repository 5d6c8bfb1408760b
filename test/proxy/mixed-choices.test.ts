/** Requests of every choice, mixed on connections of HTTP/1.1 and HTTP/2 -> answers of the checkout asked for alone. */
import { expect, test } from "bun:test";
import http2 from "node:http2";
import { useCookie, useField } from "../../src/routes/origins.ts";
import { suiteSeed, Random } from "../support/random.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, testCheckouts } from "../support/test-proxy.ts";

/** What a request says, and whose answer it gets at the plain name. */
const choices: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{}, "main"],
  [{ [useField]: "fix-nav" }, "fix-nav"],
  [{ [useField]: "old" }, "old"],
  [{ cookie: `a=1; ${useCookie}=fix-nav` }, "fix-nav"],
  [{ cookie: `${useCookie}=old` }, "old"],
  [{ [useField]: "--", cookie: `${useCookie}=old` }, "main"],
  [{ cookie: `${useCookie}=; b=2` }, "main"],
];

test("no request gets the answer of another checkout, however requests share connections", async () => {
  const random = new Random(suiteSeed());
  await using made = new AsyncDisposableStack();
  const server = (label: string) =>
    made.use(
      new RawServer({
        async answer(request) {
          // Answers of different servers come in another order than their requests.
          for (let turns = random.below(4); turns > 0; turns--) await new Promise(setImmediate);
          return ok(`${label} ${request.one("x-id")} ${request.body.length}`);
        },
      }),
    );
  const services = {
    shop: { port: server("main").port, label: "" },
    "fix-nav.shop": { port: server("fix-nav").port, label: "fix-nav" },
    "old.shop": { port: server("old").port, label: "old" },
  };
  const { port } = made.use(await startTestProxy({ services, checkouts: testCheckouts }));
  let id = 0;
  const next = () => {
    const host = random.pick(["shop", "x.shop", "fix-nav.shop"]);
    const [fields, label] = random.pick(choices);
    const body = "b".repeat(random.chance(0.3) ? random.below(2_000) : 0);
    id++;
    const all = { "x-id": String(id), ...fields };
    return {
      host,
      fields: all,
      body,
      answer: `${host === "fix-nav.shop" ? host.slice(0, 7) : label} ${id} ${body.length}`,
    };
  };
  const pipelined = async () => {
    using client = await connectRaw(port);
    for (let round = 0; round < 12; round++) {
      const these = Array.from({ length: 1 + random.below(6) }, next);
      const text = these.map(({ host, fields, body }) => {
        const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
        return `POST / HTTP/1.1\r\nHost: ${host}.localhost\r\n${lines.join("")}Content-Length: ${body.length}\r\n\r\n${body}`;
      });
      client.send(text.join(""));
      for (const { answer } of these) expect((await client.message()).body).toBe(answer);
    }
  };
  const multiplexed = async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const ask = ({ host, fields, body }: ReturnType<typeof next>) =>
      new Promise<string>((resolve, reject) => {
        const method = { ":method": "POST", ":authority": `${host}.localhost` };
        const stream = session.request({ ...method, ...fields });
        let text = "";
        stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
        stream.on("end", () => resolve(text)).on("error", reject);
        stream.end(body);
      });
    for (let round = 0; round < 12; round++) {
      const these = Array.from({ length: 1 + random.below(8) }, next);
      expect(await Promise.all(these.map(ask))).toEqual(these.map(({ answer }) => answer));
    }
    session.close();
  };
  await Promise.all([pipelined(), pipelined(), multiplexed(), multiplexed()]);
});

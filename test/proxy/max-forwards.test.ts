/** OPTIONS and TRACE that may pass only so many proxies. RFC 9110 section 7.6.2. */
import { expect, test } from "bun:test";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

test("an OPTIONS that may go no further is answered here, and the connection goes on", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send("OPTIONS / HTTP/1.1\r\nHost: api.localhost\r\nMax-Forwards: 0\r\n\r\n");
  expect((await client.message()).status).toBe(200);
  expect(api.requests.length).toBe(0);
  client.send("OPTIONS / HTTP/1.1\r\nHost: api.localhost\r\nMax-Forwards: 3\r\n\r\n");
  await client.message();
  expect(api.requests[0]!.one("max-forwards")).toBe("2");
});

test("what was looked for on behalf of it is looked for again for the next request", async () => {
  using api = new RawServer({ answer: () => ok() });
  let looks = 0;
  await using proxy = await startTestProxy({
    refresh: async () => {
      looks++;
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send("OPTIONS / HTTP/1.1\r\nHost: api.localhost\r\nMax-Forwards: 0\r\n\r\n");
  expect((await client.message()).status).toBe(200);
  expect(looks).toBe(1);
  client.send("GET / HTTP/1.1\r\nHost: nosuch.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(404);
  expect(looks).toBe(2);
});

test("a TRACE that may go no further says what it received, without what is secret", async () => {
  await using its = await scene({ answer: () => ok() });
  const { client } = its;
  client.send(
    "TRACE /x HTTP/1.1\r\nHost: api.localhost\r\nCookie: a=b\r\nX-Tag: 7\r\nMax-Forwards: 0\r\n\r\n",
  );
  const answer = await client.message();
  expect(answer.one("content-type")).toBe("message/http");
  expect(answer.body).toBe(
    "TRACE /x HTTP/1.1\r\nHost: api.localhost\r\nX-Tag: 7\r\nMax-Forwards: 0\r\n\r\n",
  );
});

test("Max-Forwards of other methods goes on as it is", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\nMax-Forwards: 0\r\n\r\n");
  await client.message();
  expect(api.requests[0]!.one("max-forwards")).toBe("0");
});

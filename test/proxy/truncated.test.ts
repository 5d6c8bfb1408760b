/** Requests that end too early: whoever sent half of one is told, or let go, at once. */
import { expect, test } from "bun:test";
import { connectRaw } from "../support/raw-end.ts";
import { echo } from "../support/raw-server.ts";
import { withProxies } from "../support/with-proxies.ts";

const wholes = [
  "GET /x HTTP/1.1\r\nHost: api.localhost\r\nX-Foo: bar\r\n\r\n",
  "POST /x HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 5\r\n\r\nhello",
  'POST /x HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  "GET http://api/x HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi",
];

type Upstream = "dialled anew" | "kept from before";

for (const how of ["dialled anew", "kept from before"] satisfies Upstream[]) {
  test(`a client that stops in the middle of a request is let go, the upstream ${how}`, async () => {
    const cuts = wholes.flatMap((text) =>
      Array.from({ length: text.length - 1 }, (_, i) => text.slice(0, i + 1)),
    );
    const wrong: string[] = [];
    await withProxies(
      cuts,
      // Where no whole request was ever answered, there is no connection to keep.
      echo,
      async (cut, proxy, upstream) => {
        const client = await connectRaw(proxy.port);
        if (how === "kept from before") {
          client.send(wholes[0]!);
          await client.until("GET /x");
        }
        const before = upstream.requests.length;
        client.send(cut);
        client.finish();
        await client.rest().catch(() => wrong.push(`not let go: ${JSON.stringify(cut)}`));
        if (upstream.requests.length > before)
          wrong.push(`taken for whole: ${JSON.stringify(cut)}`);
        client.reset();
      },
    );
    expect(wrong).toEqual([]);
  });
}

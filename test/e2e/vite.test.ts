/** Vite's hot updates over the WebSocket that its client opens, through the real program. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { type Program, startProgram } from "../support/program.ts";
import { connectRaw } from "../support/raw-end.ts";
import {
  edit,
  messageModule,
  type NamedServer,
  neededBy,
  startServer,
} from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";

describeWith(neededBy.vite)("Vite's hot updates", () => {
  let program: Program;
  let vite: NamedServer;

  beforeAll(async () => {
    program = await startProgram();
  });

  // Each test has its own: Vite may overlook an edit that follows another at once.
  beforeEach(async () => {
    vite = await startServer("vite");
  });

  afterEach(async () => {
    await vite?.end();
  });

  afterAll(async () => {
    await program?.stop();
  });

  const subdomain = () => `${vite.name}.localhost:${program.port}`;

  async function get(path: string): Promise<string> {
    using end = await connectRaw(program.port);
    end.send(`GET ${path} HTTP/1.1\r\nHost: ${subdomain()}\r\n\r\n`);
    const { status, body } = await end.message();
    expect({ path, status }).toEqual({ path, status: 200 });
    return body.toString();
  }

  /** As the page does, which has the token from the script that Vite's server gave it. */
  async function token(): Promise<string> {
    const found = /wsToken = "([^"]+)"/.exec(await get("/@vite/client"));
    return found![1]!;
  }

  /** The place and the options of the client's WebSocket. */
  const roads: Record<string, (query: string) => [url: string, Bun.WebSocketOptions]> = {
    subdomain: (query) => {
      const host = subdomain();
      return [
        `ws://127.0.0.1:${program.port}/${query}`,
        { protocols: ["vite-hmr"], headers: { Host: host, Origin: `http://${host}` } },
      ];
    },
    // As Chromium does it for a bare name that a PAC file sends to a proxy.
    CONNECT: (query) => [
      `ws://${vite.name}/${query}`,
      {
        protocols: ["vite-hmr"],
        headers: { Origin: `http://${vite.name}` },
        proxy: `http://127.0.0.1:${program.port}`,
      },
    ],
  };

  test.each(Object.keys(roads))("come by %s", async (road) => {
    const socket = new WebSocket(...roads[road]!(`?token=${await token()}`));
    try {
      const messages = received(socket);
      expect(await messages.next()).toEqual({ type: "connected" });
      expect(socket.protocol).toBe("vite-hmr");
      // Vite tells of modules that somebody has asked for.
      await get("/main.js");
      await get("/message.js");
      await edit(vite, { file: "message.js", text: messageModule(`changed by ${road}`) });
      expect(await messages.next()).toMatchObject({
        type: "update",
        updates: [{ path: "/main.js", acceptedPath: "/message.js" }],
      });
      expect(await get("/message.js")).toContain(`changed by ${road}`);
      // The other way: Vite answers nothing, and the connection stays.
      socket.send(JSON.stringify({ type: "ping" }));
      const closed = new Promise<number>((resolve) => {
        socket.onclose = ({ code }) => resolve(code);
      });
      socket.close(1000);
      expect(await closed).toBe(1000);
    } finally {
      socket.terminate();
    }
  });

  test.each([
    ["the guard to a page of another site", "http://elsewhere.example", 403],
    ["Vite itself to a page of ours that has no token", "http://web.localhost", 400],
  ])("are refused by %s", async (_, origin, status) => {
    using end = await connectRaw(program.port);
    end.send(
      `GET /?token=guessed HTTP/1.1\r\nHost: ${subdomain()}\r\nOrigin: ${origin}\r\n` +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: vite-hmr\r\n\r\n",
    );
    expect((await end.message()).status).toBe(status);
  });
});

/** What Vite says, in order. @throws once the connection is over. */
function received(socket: WebSocket): { next(): Promise<unknown> } {
  const waiting: PromiseWithResolvers<unknown>[] = [];
  const arrived: unknown[] = [];
  let over: Error | undefined;
  socket.onmessage = ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    const first = waiting.shift();
    if (first === undefined) arrived.push(message);
    else first.resolve(message);
  };
  const end = (why: string): void => {
    over ??= new Error(`the WebSocket ended: ${why}`);
    for (const { reject } of waiting.splice(0)) reject(over);
  };
  socket.onerror = (event) => end((event as ErrorEvent).message);
  socket.onclose = ({ code, reason }) => end(`${code} ${reason}`);
  return {
    next() {
      if (arrived.length > 0) return Promise.resolve(arrived.shift());
      if (over !== undefined) return Promise.reject(over);
      const message = Promise.withResolvers<unknown>();
      waiting.push(message);
      return message.promise;
    },
  };
}

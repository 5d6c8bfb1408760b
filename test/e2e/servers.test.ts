/** Real servers with a NAME in their environment, reached through the real program. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Program, startProgram } from "../support/program.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { type NamedServer, neededBy, serverKinds, startServer } from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";

type Asked = Pick<NamedServer, "name" | "path" | "port">;

const close = "Connection: close\r\n\r\n";

/** The ways to a name that the bytes of a client may take. */
const requests: Record<string, (end: RawEnd, asked: Asked) => Promise<void> | void> = {
  subdomain(end, { name, path }) {
    end.send(`GET ${path} HTTP/1.1\r\nHost: ${name}.localhost:${program.port}\r\n${close}`);
  },
  "absolute URI"(end, { name, path }) {
    end.send(`GET http://${name}${path} HTTP/1.1\r\nHost: ${name}\r\n${close}`);
  },
  async CONNECT(end, { name, path, port }) {
    end.send(`CONNECT ${name}:80 HTTP/1.1\r\nHost: ${name}:80\r\n\r\n`);
    expect(await end.until("\r\n\r\n")).toStartWith("HTTP/1.1 200 Connection Established\r\n");
    // Inside, the client talks to the server itself, and Vite knows no bare names.
    end.send(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n${close}`);
  },
};

/** The same ways, as curl takes them. */
const curlArguments: Record<string, (asked: Asked) => string[]> = {
  subdomain: ({ name, path }) => [
    "--noproxy",
    "*",
    `http://${name}.localhost:${program.port}${path}`,
  ],
  "absolute URI": ({ name, path }) => ["--proxy", proxyUrl(), `http://${name}${path}`],
  CONNECT: ({ name, path, port }) => [
    "--proxytunnel",
    "--proxy",
    proxyUrl(),
    "--header",
    `Host: localhost:${port}`,
    `http://${name}${path}`,
  ],
};

const ways = Object.keys(requests);
const proxyUrl = () => `http://127.0.0.1:${program.port}`;

let program: Program;

beforeAll(async () => {
  program = await startProgram();
});

afterAll(async () => {
  await program?.stop();
});

async function get(way: string, asked: Asked) {
  using end = await connectRaw(program.port);
  await requests[way]!(end, asked);
  // Python answers what came through a tunnel in HTTP/1.0.
  return await end.message({ http10: true });
}

for (const kind of serverKinds) {
  describeWith(neededBy[kind])(kind, () => {
    let server: NamedServer;

    beforeAll(async () => {
      server = await startServer(kind);
    });

    afterAll(async () => {
      await server?.end();
    });

    test.each(ways)("is reached by %s", async (way) => {
      const { status, body } = await get(way, server);
      expect({ status, body: body.toString() }).toEqual({
        status: 200,
        body: expect.stringContaining(server.text),
      });
    });

    describeWith(["curl"])("with curl", () => {
      test.each(ways)("is reached by %s", async (way) => {
        const curl = Bun.spawn(["curl", "-sS", "--max-time", "5", ...curlArguments[way]!(server)], {
          stdin: "ignore",
          stdout: "pipe",
          stderr: "pipe",
        });
        const [body, errors] = await Promise.all([curl.stdout.text(), curl.stderr.text()]);
        expect({ errors, body }).toEqual({
          errors: "",
          body: expect.stringContaining(server.text),
        });
        expect(await curl.exited).toBe(0);
      });
    });
  });
}

test("a server is reached by the first request after it listens, and by none after its end", async () => {
  const server = await startServer("bun");
  const first = await get("subdomain", server).finally(() => server.end());
  expect(first.body).toContain(server.text);
  expect((await get("subdomain", server)).status).toBe(404);
});

test("the program lets go of everything and exits with 0 when it is asked to end", async () => {
  const other = await startProgram();
  expect(await other.stop()).toBe(0);
  await expect(connectRaw(other.port)).rejects.toThrow();
});

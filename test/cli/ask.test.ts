import { expect, test } from "bun:test";
import { type AskOptions, ask } from "../../src/cli/shared/ask.ts";

type Answers = (socket: Bun.Socket) => void;

/** Asks a server that answers like this once it has been asked something. */
async function asked(answers: Answers, options: Partial<AskOptions> = {}) {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket) => answers(socket) },
  });
  try {
    return await ask({
      address: "127.0.0.1",
      port: server.port,
      deadline: 5000,
      request: "GET / HTTP/1.1\r\n\r\n",
      ...options,
    });
  } finally {
    server.stop(true);
  }
}

test("an answer is its status, reason and Server field", async () => {
  const head = "HTTP/1.1 404 Not Found\r\nDate: x\r\nserver:  nginx\r\n\r\nbody";
  const answer = { kind: "answer", status: 404, reason: "Not Found", server: "nginx" } as const;
  expect(await asked((socket) => void socket.write(head))).toEqual(answer);
});

test("one of our own is read to its end, or as far as it comes", async () => {
  const head = (length: number) =>
    `HTTP/1.1 503 Service Unavailable\r\nServer: localhostess\r\nContent-Length: ${length}\r\n\r\n`;
  const whole: Answers = async (socket) => {
    for (const piece of [head(9), "shop:", "\u00fcpi"]) {
      socket.write(piece);
      socket.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  expect(await asked(whole)).toMatchObject({ status: 503, text: "shop:\u00fcpi" });
  const cut: Answers = (socket) => void socket.end(`${head(900)}shop`);
  expect(await asked(cut)).toMatchObject({ status: 503, text: "shop" });
  const stuck: Answers = (socket) => void socket.write(`${head(900)}sho`);
  expect(await asked(stuck, { deadline: 100 })).toMatchObject({ status: 503, text: "sho" });
});

test("an answer may come an octet at a time, and without reason or Server", async () => {
  const answer = { kind: "answer", status: 200, reason: "", server: undefined } as const;
  const slow: Answers = async (socket) => {
    for (const octet of "HTTP/1.0 200\r\n\r\n") {
      socket.write(octet);
      socket.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  expect(await asked(slow)).toEqual(answer);
});

const failures: [what: string, answers: Answers, why: string][] = [
  ["is not HTTP", (socket) => void socket.write("SSH-2.0-x\r\n\r\n"), "its answer is not HTTP"],
  ["closes", (socket) => void socket.end(), "closed without an answer"],
  ["closes half-way", (socket) => void socket.end("HTTP/1.1 2"), "closed within its answer"],
  [
    "never ends its head",
    (socket) => void socket.write("x".repeat(70_000)),
    "its answer does not end its head",
  ],
];

for (const [what, answers, why] of failures) {
  test(`a server that ${what} is a failure that says so`, async () => {
    expect(await asked(answers)).toEqual({ kind: "failed", why });
  });
}

test("a server that takes the connection and says nothing is given up", async () => {
  expect(await asked(() => {}, { deadline: 20 })).toEqual({
    kind: "failed",
    why: "no answer within 20 ms",
  });
});

test("without a request it only connects", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const options = { address: "127.0.0.1", port: server.port, deadline: 5000 };
  expect(await ask(options)).toEqual({ kind: "connected" });
  server.stop(true);
  expect(await ask(options)).toEqual({ kind: "failed", why: "connection refused" });
});

const tunnelled = { serverName: "api", tunnel: "api:443" };

test("a tunnel that is refused is answered by whoever refused it", async () => {
  expect(
    await asked((socket) => void socket.write("HTTP/1.1 404 Not Found\r\n\r\n"), tunnelled),
  ).toMatchObject({ kind: "answer", status: 404 });
});

test("a server that closes inside a tunnel is a failure that says so", async () => {
  const granted = (socket: Bun.Socket): void => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.end();
  };
  expect(await asked(granted, tunnelled)).toEqual({
    kind: "failed",
    why: "closed without an answer",
  });
});

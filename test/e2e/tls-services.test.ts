/** Servers that listen with TLS, behind their names, through the real program. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { type Program, startProgram } from "../support/program.ts";
import { connectRaw } from "../support/raw-end.ts";
import {
  edit,
  messageModule,
  type NamedServer,
  neededBy,
  startServer,
  uniqueName,
  viteSettings,
} from "../support/servers.ts";
import { neededByTls, startTlsServer } from "../support/tls-servers.ts";
import { describeWith } from "../support/with-programs.ts";
import { eventually } from "../support/eventually.ts";

let program: Program;

beforeAll(async () => {
  program = await startProgram();
});

afterAll(async () => {
  await program?.stop();
});

async function get(name: string, path: string): Promise<{ status: number; body: string }> {
  using end = await connectRaw(program.port);
  end.send(`GET ${path} HTTP/1.1\r\nHost: ${name}.localhost:${program.port}\r\n\r\n`);
  const { status, body } = await end.message();
  return { status, body: body.toString() };
}

describeWith(neededByTls.node)("A process with TLS", () => {
  test("answers by http and by https, and where a plain one follows it on its port, that one answers at once", async () => {
    const name = uniqueName("secure");
    const secure = await startTlsServer("node", name);
    const { port } = secure;
    try {
      for (let i = 0; i < 3; i++) expect(await get(name, "/x")).toMatchObject({ status: 200 });
      const answer = await fetch(`https://127.0.0.1:${program.port}/y`, {
        headers: { Host: `${name}.localhost` },
        tls: { rejectUnauthorized: false, serverName: `${name}.localhost` },
      } as RequestInit);
      expect(await answer.json()).toMatchObject({
        url: "/y",
        serverName: `${name}.localhost`,
        headers: { "x-forwarded-proto": "https" },
      });
    } finally {
      await secure[Symbol.asyncDispose]();
    }
    const plain = Bun.spawn(
      [
        process.execPath,
        "-e",
        `Bun.serve({ hostname: "127.0.0.1", port: ${port}, fetch: () => new Response("plain now") }); console.log("up");`,
      ],
      { env: { ...process.env, NAME: name }, cwd: tmpdir(), stdout: "pipe", detached: true },
    );
    try {
      await plain.stdout.getReader().read();
      for (let i = 0; i < 3; i++) {
        expect(await get(name, "/")).toEqual({ status: 200, body: "plain now" });
      }
    } finally {
      plain.kill("SIGKILL");
      await plain.exited;
    }
  });
});

describeWith(neededBy["vite with TLS"])("Vite with TLS", () => {
  let vite: NamedServer;

  beforeAll(async () => {
    vite = await startServer("vite with TLS");
  });

  afterAll(async () => {
    await vite?.end();
  });

  test("serves its page and tells of an edit over its WebSocket, and goes over to plain HTTP when its settings say so", async () => {
    const { status, body } = await get(vite.name, "/@vite/client");
    expect(status).toBe(200);
    const token = /wsToken = "([^"]+)"/.exec(body)![1]!;
    const host = `${vite.name}.localhost:${program.port}`;
    await get(vite.name, "/main.js");
    await get(vite.name, "/message.js");
    const socket = new WebSocket(`ws://127.0.0.1:${program.port}/?token=${token}`, {
      protocols: ["vite-hmr"],
      headers: { Host: host, Origin: `http://${host}` },
    } as Bun.WebSocketOptions);
    const updated = new Promise<string>((resolve, reject) => {
      socket.onerror = () => reject(new Error("the WebSocket failed"));
      socket.onmessage = ({ data }) => {
        if (JSON.parse(data).type === "connected") {
          void edit(vite, { file: "message.js", text: messageModule("edited") });
        } else resolve(data);
      };
    });
    expect(await updated).toContain("message.js");
    socket.close();
    await edit(vite, { file: "vite.config.js", text: viteSettings("") });
    // Until it has started anew it answers in TLS, or nobody does.
    await get(vite.name, "/message.js");
    await eventually("it starts anew", () => vite.output().includes("server restarted"));
    const answer = await get(vite.name, "/message.js");
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toContain("edited");
  }, 120_000);
});

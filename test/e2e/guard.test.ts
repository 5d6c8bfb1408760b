/** The guard of a real daemon: refused, told in logs and by commands, and changed by an edit of either file. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../../src/control/found/client.ts";
import type { ServiceDetail } from "../../src/routes/service-report.ts";
import { type TestServer, testServer } from "../cli/server-process.ts";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";
import { server as program } from "../support/project-place.ts";

/** The program is run several times, on a machine that may be busy. */
const patience = 120_000;

let daemon: DaemonPlace;
let server: TestServer;
let port: number;
let socket: string;
let project: string;

const toml = (more = ""): string =>
  `[project]\nname = "shop"\n[services.api]\nlazy = true\n${more}command = """${program}"""\n`;

beforeAll(async () => {
  [daemon, server] = await Promise.all([daemonPlace(), testServer()]);
  daemon.env.LOCALHOSTESS_CONFIG = join(daemon.directory, "config.toml");
  ({ port, socket } = await daemon.start());
  project = join(daemon.directory, "shop");
  await mkdir(project);
  await writeFile(join(project, "locald.toml"), toml());
  const up = await daemon.run("up", project);
  expect(up).toMatchObject({ code: 0 });
}, patience);

afterAll(async () => {
  await Promise.all([daemon?.[Symbol.asyncDispose](), server?.end()]);
}, patience);

/** A page of another site asks; the status of its answer. */
async function asked(host: string): Promise<{ status: number; body: string }> {
  using client = await connectRaw(port);
  const fields = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty";
  client.send(
    `GET /data HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\nOrigin: https://evil.example\r\n\r\n`,
  );
  const { status, body } = await client.message();
  return { status: status!, body };
}

test(
  "a lazy service of a project stays asleep, its log says so once, and an edit of locald.toml lets the page in",
  async () => {
    for (let time = 0; time < 2; time++) {
      expect((await asked("api.shop.localhost")).status).toBe(403);
    }
    const status = await daemon.run("status", "shop:api", "--json");
    expect(JSON.parse(status.out)[0]).toMatchObject({ state: "stopped", denied: 2 });
    const logs = await daemon.run("logs", "shop:api");
    const line =
      'refused: a page of https://evil.example asked for GET /data; to allow it: allow_origins = ["https://evil.example"] in [services.api] of its locald.toml';
    expect(logs.out.split(line).length).toBe(2);
    await writeFile(
      join(project, "locald.toml"),
      toml('allow_origins = ["https://evil.example"]\n'),
    );
    await eventually("the edit counts", async () => {
      return (await asked("api.shop.localhost")).status === 200;
    });
  },
  patience,
);

test(
  "a server that was found is told of by why, and config.toml lets the page in without a restart",
  async () => {
    const refused = await asked(`${server.name}.localhost`);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain(`[names.${server.name}] of config.toml`);
    const request = { Service: { name: server.name } };
    const reply = await ask<{ Service: ServiceDetail }>(socket, request, { deadline: patience });
    expect(reply.kind === "reply" && reply.value.Service.denials[0]).toMatchObject({
      ...{ service: server.name, kind: "request", count: 1, refused: true },
    });
    const why = await daemon.run("why", server.name);
    expect(why.out).toMatch(
      /1 request of other sites' pages; the last, [\d.]+ s ago, was refused: /,
    );
    expect(why.out).toContain(`[names.${server.name}] of ${daemon.env.LOCALHOSTESS_CONFIG} allows`);
    expect(why.code).toBe(0);
    await writeFile(
      daemon.env.LOCALHOSTESS_CONFIG!,
      `[names.${server.name}]\nguard = "off"\nforwarded = "none"\n`,
    );
    await eventually("the edit counts", async () => {
      return (await asked(`${server.name}.localhost`)).status === 200;
    });
  },
  patience,
);

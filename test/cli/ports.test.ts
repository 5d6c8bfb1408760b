/** `server start` with more ports than its main one, and what other verbs make of that: real proxies, real servers. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Finding } from "../../src/cli/trust/finding.ts";
import { readRegistration } from "../../src/control/found/registration.ts";
import { cli, freshState, type Session, type State, session } from "./cli.ts";
import { testServer } from "./server-process.ts";

/** Each test runs the program several times, on a machine that may be busy. */
setDefaultTimeout(60_000);

const ready = /http:\/\/localhost:(\d+)\/proxy\.pac/;

async function started(its: Session): Promise<number> {
  return Number(ready.exec(await its.until((text) => ready.test(text)))![1]);
}

const start = ({ env }: State, args: string[]): Session =>
  session(["server", "start", "--port", "0", ...args], { env, terminal: false });

async function portsOf({ directory }: State): Promise<{ httpPort: number; httpsPort: number }> {
  const { httpPort, httpsPort } = (await readRegistration(directory))!;
  return { httpPort: httpPort!, httpsPort: httpsPort! };
}

const both = ["--http-port", "0", "--https-port", "0"];

test("other verbs and the front page have the one that was asked for, unless they are told a port", async () => {
  await using state = await freshState();
  await using server = await testServer();
  await using proxy = start(state, both);
  const main = await started(proxy);
  const { httpPort, httpsPort } = await portsOf(state);
  expect(new Set([main, httpPort, httpsPort]).size).toBe(3);
  const its = (port: number) => `http://${server.name}.localhost:${port}`;
  expect(proxy.output()).toContain(`https://<name>.localhost:${httpsPort} `);
  await proxy.until((text) => text.includes(` ${its(httpPort)} `));
  const run = async (...args: string[]) => (await cli(args, { env: state.env })).out;
  expect(await run("url", server.name)).toBe(`${its(httpPort)}\n`);
  expect(await run("url", server.name, "--port", String(main))).toBe(`${its(main)}\n`);
  expect(await run("ls")).toContain(` ${its(httpPort)} `);
  expect(await run("pac")).toContain(`127.0.0.1:${main};`);
  expect(await run("why", server.name)).toContain(`on 127.0.0.1:${httpPort} and [::1]:${httpPort}`);
  const secure = await run("why", `https://${server.name}.localhost:${httpsPort}/`);
  expect(secure).toContain(`https://${server.name}.localhost:${httpsPort}/: 200`);
  const front = await fetch(`http://127.0.0.1:${httpsPort}/`, { headers: { Host: "localhost" } });
  expect(await front.text()).toContain(` ${its(httpPort)} `);
});

test("a proxy with a NAME is no server of that name, on none of its ports", async () => {
  await using state = await freshState();
  await using proxy = start({ ...state, env: { ...state.env, NAME: "the-proxy-itself" } }, both);
  await started(proxy);
  const { httpPort, httpsPort } = await portsOf(state);
  for (const port of [httpPort, httpsPort]) {
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { Host: "the-proxy-itself.localhost" },
    });
    expect(answer.status).toBe(404);
  }
  expect((await cli(["ls"], { env: state.env })).out).not.toContain("the-proxy-itself");
});

test("two at once: the second says who has the ports, and goes on", async () => {
  await using state = await freshState();
  await using first = start(state, both);
  await started(first);
  const { httpPort, httpsPort } = await portsOf(state);
  await using other = await freshState();
  await using second = start(other, [
    "--http-port",
    String(httpPort),
    "--https-port",
    String(httpsPort),
  ]);
  const main = await started(second);
  for (const port of [httpPort, httpsPort]) {
    expect(second.output()).toContain(
      `not using port ${port}, which is in use by pid ${first.pid}: `,
    );
  }
  expect(second.output()).toContain(`http://<name>.localhost:${main} `);
  expect(
    (await fetch(`http://127.0.0.1:${main}/`, { headers: { Host: "localhost" } })).ok,
  ).toBeTrue();
  const { out } = await cli(["doctor", "--json"], {
    env: { ...other.env, LOCALHOSTESS_HTTP_PORT: String(httpPort) },
  });
  const found = JSON.parse(out).find((its: Finding) => its.check === `port ${httpPort}`);
  expect(found).toMatchObject({
    level: "ok",
    detail: expect.stringContaining(`it is in use by pid ${first.pid}: `),
    fix: `kill ${first.pid}, then restart the proxy`,
  });
});

test("with the redirect a page load ends at https, where it is not redirected again", async () => {
  await using state = await freshState();
  await using server = await testServer();
  await using proxy = start(state, [...both, "--https-redirect"]);
  await started(proxy);
  await proxy.until((text) => text.includes(`+ ${server.name} `));
  const { httpPort, httpsPort } = await portsOf(state);
  const host = `${server.name}.localhost`;
  const load = { redirect: "manual", headers: { Accept: "text/html", Host: host } } as const;
  const moved = await fetch(`http://127.0.0.1:${httpPort}/x?y`, load);
  expect([moved.status, moved.headers.get("location")]).toEqual([
    308,
    `https://${host}:${httpsPort}/x?y`,
  ]);
  const loaded = await fetch(`https://127.0.0.1:${httpsPort}/x`, {
    ...load,
    tls: { rejectUnauthorized: false, serverName: host },
  });
  expect(await loaded.text()).toBe("path /x\n");
});

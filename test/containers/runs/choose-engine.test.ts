import { expect, test } from "bun:test";
import { chooseEngine } from "../../../src/containers/runs/choose-engine.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { fakeEngine, head, type Script } from "../fake-engine.ts";

const pong: Script = ({ write, end }) => {
  write(`${head}Content-Length: 2\r\nConnection: close\r\n\r\nOK`);
  end();
};
const podman: Script = ({ write, end }) => {
  write("HTTP/1.1 200 OK\r\nServer: Libpod/4.3.1 (linux)\r\nContent-Length: 2\r\n\r\nOK");
  end();
};
const broken: Script = ({ write, end }) => {
  write("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  end();
};

function chosen(only: readonly string[] | undefined, env: Record<string, string> = {}) {
  const uid = process.getuid?.() ?? 0;
  return chooseEngine({ only, env, home: "/nowhere", uid, clock: systemClock });
}

test("the first that answers is taken, and known for what it is", async () => {
  using ill = fakeEngine({ "/_ping": broken });
  using first = fakeEngine({ "/_ping": podman });
  using second = fakeEngine({ "/_ping": pong });
  const all = ["/no/such.sock", ill.path, first.path, second.path];
  expect(await chosen(all)).toMatchObject({
    kind: "engine",
    engine: { socket: first.path, kind: "podman", owner: process.getuid?.() ?? 0 },
  });
  expect(await chosen([second.path])).toMatchObject({ engine: { kind: "docker" } });
});

test("DOCKER_HOST of the shell comes before what config.toml lists, and alone", async () => {
  using listed = fakeEngine({ "/_ping": pong });
  using own = fakeEngine({ "/_ping": pong });
  const env = { DOCKER_HOST: `unix://${own.path}` };
  expect(await chosen([listed.path], env)).toMatchObject({ engine: { socket: own.path } });
  const wrong = await chosen([listed.path], { DOCKER_HOST: "tcp://127.0.0.1:2375" });
  expect(wrong).toMatchObject({
    kind: "none",
    isThere: false,
    why: expect.stringContaining("DOCKER_HOST"),
  });
});

test("no engine: a sentence with what was asked and how to get one; one that is ill may be well later", async () => {
  expect(await chosen(["/no/such.sock"])).toMatchObject({
    kind: "none",
    isThere: false,
    why: expect.stringContaining("/no/such.sock: there is no such socket); start that engine"),
  });
  using ill = fakeEngine({ "/_ping": broken });
  expect(await chosen([ill.path])).toMatchObject({ kind: "none", isThere: true });
});

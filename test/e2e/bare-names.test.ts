/** Names without a dot that the hosts file and config.toml have, in a daemon that looks at both. */
import { expect, test } from "bun:test";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startDaemon } from "../../src/daemon/daemon.ts";
import { hostsFile } from "../../src/system/hosts-file.ts";
import { daemonOptions } from "../support/daemon-options.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { connectRaw } from "../support/raw-end.ts";

/** 404: it may be asked for, and nobody has it. 421: it may not. */
async function statusOf(port: number, host: string): Promise<number> {
  using client = await connectRaw(port);
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return (await client.message()).status;
}

test("config.toml says which bare names are answered to who comes by a resolver", async () => {
  for (const [text, api, web] of [
    ["", 421, 421],
    ['bare_names = ["api-of-mine"]', 404, 421],
    ["bare_names = true", 404, 404],
    ["bare_names = false", 421, 421],
  ] as const) {
    await using place = await daemonPlace();
    place.env.LOCALHOSTESS_CONFIG = join(place.directory, "config.toml");
    await writeFile(place.env.LOCALHOSTESS_CONFIG, text);
    const { port } = await place.start();
    expect(await statusOf(port, "api-of-mine")).toBe(api);
    expect(await statusOf(port, "web-of-mine")).toBe(web);
  }
}, 120_000);

test("a line in the hosts file is seen by the request that follows it, and so is its end", async () => {
  const options = await daemonOptions({ bareNames: ["by-config"] });
  const path = join(options.stateDirectory, "hosts");
  const daemon = await startDaemon({ ...options, hosts: hostsFile(path) });
  const { port } = daemon!;
  try {
    expect(await statusOf(port, "by-hosts")).toBe(421);
    await writeFile(path, "127.0.0.1 by-hosts\n");
    expect(await statusOf(port, "by-hosts")).toBe(404);
    expect(await statusOf(port, "by-config")).toBe(404);
    await rm(path);
    expect(await statusOf(port, "another")).toBe(421);
    expect(await statusOf(port, "by-hosts")).toBe(421);
  } finally {
    await daemon!.stop();
  }
}, 60_000);

/** A NAME and words for its command line -> a real server that has both. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uniqueName } from "../support/servers.ts";
import { running } from "../support/running.ts";

export interface TestServer extends AsyncDisposable {
  name: string;
  port: number;
  pid: number;
  end(): Promise<void>;
}

export type TestServerOptions = {
  /** `null`: none at all. */
  name?: string | null;
  ports?: number;
  words?: readonly string[];
};

const fixture = join(import.meta.dir, "fixtures/server.ts");

export async function testServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { name = uniqueName("cli"), ports = 1, words = [] } = options;
  const server = await running([process.execPath, fixture, String(ports), ...words], {
    env: { NAME: name ?? undefined },
    // No checkout, whose label its name would have.
    cwd: tmpdir(),
    ready: /^port (\d+)$/m,
  });
  return {
    name: name ?? "",
    port: Number(server.said[1]),
    pid: server.pid,
    end: server.end,
    [Symbol.asyncDispose]: server.end,
  };
}

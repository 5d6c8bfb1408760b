/** Files by path -> a site that serves them on a port, for one test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ReloadStreams } from "../../src/sites/reload-streams.ts";
import { Site, type SiteOptions } from "../../src/sites/site.ts";
import { SiteServer } from "../../src/sites/site-server.ts";
import { systemClock } from "../../src/system/clock.ts";

export type SitePlace = {
  folder: string;
  port: number;
  streams: ReloadStreams;
  server: SiteServer;
  faults: unknown[];
  write(path: string, content: string | Uint8Array): void;
  get(path: string, init?: RequestInit): Promise<Response>;
  [Symbol.asyncDispose](): Promise<void>;
};

export function sitePlace(
  files: Readonly<Record<string, string | Uint8Array>>,
  { reloads = false, ...options }: Partial<SiteOptions> & { reloads?: boolean } = {},
): SitePlace {
  const folder = mkdtempSync(join(tmpdir(), "site-"));
  const write = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  const streams = new ReloadStreams();
  const reload = reloads ? streams : undefined;
  const usual = { folder, fallback: undefined, listing: true, title: "shop:docs" };
  const site = new Site({ ...usual, reload, ...options });
  const faults: unknown[] = [];
  const server = new SiteServer({
    clock: systemClock,
    answer: (request) => site.answer(request),
    fault: (error) => void faults.push(error),
    isOurs: (host) => host !== "evil.test",
  });
  const port = server.listenOn(0);
  return {
    ...{ folder, port, streams, server, faults, write },
    get: (path, init) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        redirect: "manual",
        decompress: false,
        ...init,
      } as RequestInit),
    async [Symbol.asyncDispose]() {
      streams.end();
      await server.stop(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Bytes written as they are -> the bytes that come back until the connection ends. */
export async function raw(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let answer = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, bytes) {
        answer += bytes.toString("latin1");
      },
      close: () => resolve(),
    },
  });
  socket.write(text);
  await promise;
  return answer;
}

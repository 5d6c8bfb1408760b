/** A folder of repositories -> git over HTTP, by git's own program for it, on a free port of loopback. */

export interface GitServer {
  readonly url: string;
  /** Answered so far. */
  readonly requests: number;
  /** Requests wait from now on, each after it was announced. */
  hold(onRequest: () => void): void;
  release(): void;
  stop(): Promise<void>;
}

export function gitServer(folder: string): GitServer {
  let requests = 0;
  let held: { onRequest: () => void; released: PromiseWithResolvers<void> } | undefined;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      requests++;
      if (held !== undefined) {
        held.onRequest();
        await held.released.promise;
      }
      return await answered(request, folder);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    get requests() {
      return requests;
    },
    hold(onRequest) {
      held = { onRequest, released: Promise.withResolvers() };
    },
    release() {
      held?.released.resolve();
      held = undefined;
    },
    stop: () => server.stop(true),
  };
}

/** CGI, RFC 3875, as git-http-backend(1) needs it. */
async function answered(request: Request, folder: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const child = Bun.spawn(["git", "http-backend"], {
    env: {
      PATH: process.env.PATH!,
      HOME: folder,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
    },
    stdin: new Uint8Array(await request.arrayBuffer()),
    stdout: "pipe",
    stderr: "ignore",
  });
  const bytes = Buffer.from(await new Response(child.stdout).arrayBuffer());
  const end = bytes.indexOf("\r\n\r\n");
  const headers = new Headers();
  let status = 200;
  for (const line of bytes.toString("latin1", 0, end).split("\r\n")) {
    const [, name, value] = /^([^:]+): (.*)$/.exec(line) ?? [];
    if (name === "Status") status = Number.parseInt(value!, 10);
    else if (name !== undefined) headers.set(name, value!);
  }
  return new Response(bytes.subarray(end + 4), { status, headers });
}

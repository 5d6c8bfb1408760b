/** An engine of containers that keeps a list of them, and whose containers do as a test says. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

type Played = {
  labels: Record<string, string>;
  running: boolean;
  code: number;
  body: unknown;
};

export interface PlayedEngine extends Disposable {
  readonly path: string;
  /** Method and target of all requests so far. */
  readonly asked: readonly string[];
  readonly containers: ReadonlyMap<string, Played>;
  /** Whether it has none, until one is pulled. */
  readonly images: { absent: boolean };
  /** Path -> the answer to it, before anything else; undefined: 404. With one, there are no other images. */
  readonly values: Map<string, unknown>;
  has(its: { labels: Record<string, string>; running: boolean }): void;
  /** The next request whose path holds this is refused. */
  refuse(path: string, status: number, why: string): void;
  /** Answers to requests whose path holds this wait until the returned function is called. */
  hold(path: string): () => void;
  /** Resolves when the container that was made last runs. */
  running(): Promise<void>;
  /** Those who hear the output now. */
  readonly followers: number;
  print(stream: "stdout" | "stderr", text: string): void;
  exit(code: number): void;
  vanish(): void;
  /** Breaks all connections off, and is there again soon. */
  restart(options: { containers: "running" | "ended" }): void;
}

export function playedEngine(): PlayedEngine {
  const path = join(mkdtempSync(join(tmpdir(), "played-")), "docker.sock");
  const containers = new Map<string, Played>();
  const asked: string[] = [];
  const refusals: { path: string; status: number; why: string }[] = [];
  const images = { absent: false };
  const values = new Map<string, unknown>();
  const holds = new Map<string, Promise<void>>();
  const outputs = new Set<Writable>();
  const waits = new Set<() => void>();
  let count = 0;
  let last = "";
  const started = Promise.withResolvers<void>();

  type Answer = { status: number; value: unknown } | "output";
  const json = (value: unknown, status = 200): Answer => ({ status, value });
  const none = (): Answer => json({ message: "no such container" }, 404);

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, search } = new URL(request.url!, "http://engine");
    asked.push(`${request.method} ${pathname}${search}`);
    let text = "";
    for await (const piece of request) text += piece;
    for (const [held, until] of holds) if (pathname.includes(held)) await until;
    const refused = refusals.findIndex((its) => pathname.includes(its.path));
    if (refused !== -1) {
      const [{ status, why } = { status: 500, why: "" }] = refusals.splice(refused, 1);
      return json({ message: why }, status);
    }
    if (values.has(pathname)) {
      const value = values.get(pathname);
      return value === undefined ? json({ message: "no such image" }, 404) : json(value);
    }
    const [, kind, id = "", verb = ""] = pathname.split("/");
    if (pathname === "/_ping") return json("OK");
    if (pathname === "/images/create") {
      images.absent = false;
      return json({ status: "Pull complete" });
    }
    const isOther = values.size > 0 && request.method === "GET";
    if (kind === "images" && (images.absent || isOther))
      return json({ message: "no such image" }, 404);
    if (kind === "images") return json({ Id: "sha256:1", Config: {} });
    if (kind === "networks") return json(request.method === "GET" ? [] : { Id: "net" });
    if (kind !== "containers") return json({});
    if (id === "create") return create(text);
    if (id === "json") {
      const all = [...containers].map(([Id, its]) => ({
        ...{ Id, Names: ["/same"], State: its.running ? "running" : "exited" },
        Labels: its.labels,
      }));
      return json(all);
    }
    const its = containers.get(id);
    if (its === undefined) return none();
    if (request.method === "DELETE") {
      containers.delete(id);
      return json(undefined, 204);
    }
    switch (verb) {
      case "start":
        its.running = true;
        started.resolve();
        return json(undefined, 204);
      case "stop":
        end(id, 143);
        return json(undefined, 204);
      case "attach":
      case "logs":
        return "output";
      case "wait":
        return await waited(id);
      case "json":
        return json({ State: { Running: its.running, ExitCode: its.code } });
      default:
        return json({});
    }
  }

  function create(text: string): Answer {
    const body = JSON.parse(text) as { Labels: Record<string, string> };
    last = (++count).toString(16).padStart(64, "0");
    containers.set(last, { labels: body.Labels, running: false, code: 0, body });
    return json({ Id: last, Warnings: [] }, 201);
  }

  function respond(request: IncomingMessage, response: ServerResponse): void {
    void answer(request).then((its) => {
      if (its === "output") {
        outputs.add(response);
        response.on("close", () => outputs.delete(response));
        response.writeHead(200);
        response.flushHeaders();
        return;
      }
      response.writeHead(its.status, { "content-type": "application/json" });
      response.end(its.value === undefined ? "" : JSON.stringify(its.value));
    });
  }

  /** A client that goes on with the bytes of a container, without HTTP around them. */
  function upgrade(request: IncomingMessage, socket: Writable): void {
    void answer(request).then((its) => {
      if (its === "output") {
        outputs.add(socket);
        socket.on("close", () => outputs.delete(socket));
        socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
        return;
      }
      const text = JSON.stringify(its.value);
      socket.end(`HTTP/1.1 ${its.status} No\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    });
  }

  async function waited(id: string): Promise<Answer> {
    while (containers.get(id)?.running === true) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waits.add(resolve);
      await promise;
    }
    const its = containers.get(id);
    return its === undefined ? none() : json({ StatusCode: its.code });
  }

  function closeOutputs(): void {
    for (const its of outputs) its.end();
    outputs.clear();
  }

  function end(id: string, code: number): void {
    const its = containers.get(id);
    if (its !== undefined) Object.assign(its, { running: false, code });
    if (id === last) closeOutputs();
    for (const wake of waits) wake();
    waits.clear();
  }

  const listen = () => createServer(respond).on("upgrade", upgrade).listen(path);
  const breakOff = (): void => {
    server.close();
    server.closeAllConnections();
    for (const its of outputs) its.destroy();
  };
  let server = listen();
  return {
    ...{ path, asked, containers, images, values },
    has({ labels, running }) {
      const id = (++count).toString(16).padStart(64, "f");
      containers.set(id, { labels, running, code: 0, body: undefined });
    },
    refuse: (of, status, why) => void refusals.push({ path: of, status, why }),
    hold(of) {
      const { promise, resolve } = Promise.withResolvers<void>();
      holds.set(of, promise);
      return () => {
        holds.delete(of);
        resolve();
      };
    },
    running: () => started.promise,
    get followers() {
      return outputs.size;
    },
    print(stream, text) {
      const head = Buffer.from([stream === "stdout" ? 1 : 2, 0, 0, 0, 0, 0, 0, 0]);
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      for (const its of outputs) its.write(Buffer.concat([head, Buffer.from(text)]));
    },
    exit: (code) => end(last, code),
    vanish() {
      containers.delete(last);
      closeOutputs();
      for (const wake of waits) wake();
      waits.clear();
    },
    restart({ containers: how }) {
      breakOff();
      outputs.clear();
      waits.clear();
      if (how === "ended") {
        for (const its of containers.values()) Object.assign(its, { running: false, code: 0 });
      }
      setTimeout(() => {
        server = listen();
      }, 100);
    },
    [Symbol.dispose]() {
      breakOff();
      rmSync(dirname(path), { recursive: true, force: true });
    },
  };
}

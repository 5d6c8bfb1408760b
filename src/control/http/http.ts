/** The HTTP API of the daemon: a gate, the commands' routes, and the page where there is one. */
import type { Listening } from "../../link/listen.ts";
import type { Ready } from "../../link/listen-on-both.ts";
import type { Clock } from "../../system/clock.ts";
import type { Ends } from "../../system/peer-sockets.ts";
import {
  type Backend,
  type Command,
  CommandError,
  errorOf,
  type Stream,
} from "../commands/command.ts";
import { commands } from "../commands/commands.ts";
import { perform } from "../commands/perform.ts";
import { handshake, handshakePath } from "../found/handshake.ts";
import type { Answer, Headers, Sink, StreamAnswer, WholeAnswer } from "./answer.ts";
import type { Reception } from "./api-connection.ts";
import type { Asked } from "./asked.ts";
import {
  challenge,
  gate,
  type GateOptions,
  type GatePage,
  type Layers,
  layers,
  type OwnPlace,
  ownPlace,
  tokenOf,
  type Verdict,
  type Visitor,
} from "./gate.ts";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import { readJson } from "./json.ts";
import { exchangePath, type PageTokens } from "./page-tokens.ts";
import {
  failure,
  longestBody,
  securityHeaders,
  statusOfCode,
  tooLong,
  value,
  type Whole,
  whole,
  wrongMethod,
} from "./outcomes.ts";
import { sentInQuery } from "./sent-in-query.ts";
import { eventStream, lineStream } from "./sse.ts";

/** The part of the site outside `/v1/`, for browsers, which cannot show the credential. */
export interface Page extends GatePage {
  /**
   * Answers GET and HEAD of any path outside `/v1/`. `signedIn`: by cookie or credential; parts that need it answer 401
   * without. Undefined: there is nothing at that path.
   */
  answer(
    asked: Asked,
    options: { signedIn: boolean },
  ): WholeAnswer | Promise<WholeAnswer> | undefined;
}

export type HttpDoorOptions = Omit<GateOptions, "port" | "page" | "pageTokens"> & {
  clock: Clock;
  backend: Backend;
  /** 0, or undefined, picks one. */
  port?: number;
  /** Sockets that listen there already. */
  ready?: Ready | undefined;
  page?: Page | undefined;
  /** Undefined: no page of another origin can be connected. */
  pageTokens?: PageTokens | undefined;
  /** Whether the process that has the client's socket is this person's; undefined where the system does not tell. */
  ownClient?: ((client: Ends) => boolean | undefined) | undefined;
  /** A fault of ours, for the log. */
  fault(error: unknown): void;
  /** For tests: the gate without one of its layers. */
  layers?: Layers;
};

export type HttpDoor = {
  /** `http://127.0.0.1:49152`, no final slash. */
  readonly url: string;
  readonly port: number;
  readonly connections: number;
  readonly sockets: readonly Listening[];
  /** Another process listens on our sockets. Resolves when what is under way has ended, bounded. */
  leave(): Promise<void>;
  /** Ends the streams that were opened with a credential that has been replaced. */
  credentialChanged(): void;
  stop(): Promise<void>;
};

/** Milliseconds that answers under way have when the daemon stops. */
const drain = 2000;
/** Milliseconds that they have when another daemon has our sockets, and waits for none of them. */
const leavingPatience = 30_000;

/** A dialogue has no route: pages and other users reach this port, and whoever types into a terminal runs commands. */
const routes = new Map(
  commands.filter(({ streams }) => streams !== "both").map((its) => [its.path, its]),
);

/** All clients without the credential get the same answers. */
const refusals: Readonly<Record<401 | 421 | 429, { code: string; message: string }>> = {
  401: { code: "unauthorized", message: "the credential is missing or wrong" },
  421: { code: "misdirected", message: "this Host is not the daemon's" },
  429: { code: "too_many_failures", message: "too many wrong credentials; try again later" },
};

/** @throws the system's error, with its `code`, where the port cannot be had. */
export function startHttp(options: HttpDoorOptions): HttpDoor {
  const { clock, backend, page } = options;
  let server: HttpServer | undefined;
  const port = (): number => server?.port ?? 0;
  const gateLayers = options.layers ?? layers;
  const { judge } = gate({ ...options, port }, gateLayers);
  const place = (): OwnPlace => ownPlace(port(), page);

  function receive(asked: Asked): Reception {
    const proof = proved(asked);
    if (proof !== undefined) return { ...proof, known: true };
    const verdict = judgeUnlessOpen(asked);
    switch (verdict.kind) {
      case "answer":
      case "body":
        return verdict;
      case "granted":
        return whole(204, { headers: { ...securityHeaders, ...verdict.headers }, body: "" });
      case "refuse":
        return failure(verdict.status, { ...refusals[verdict.status], headers: verdict.headers });
      case "pass":
        return { ...admitted(asked, verdict), known: true };
    }
  }

  /** Our page answers some of its paths without a session: a session begins there. */
  function judgeUnlessOpen(asked: Asked): Verdict | Reception {
    const forPage = page !== undefined && isRead(asked) && !asked.path.startsWith("/v1/");
    if (!forPage) return judge(asked);
    const shown =
      asked.header("cookie") !== undefined || asked.header("authorization") !== undefined;
    // A request that shows nothing cannot be admitted, and does not count as a failed attempt.
    const verdict = shown || !gateLayers.host(asked, place()) ? judge(asked) : undefined;
    if (verdict?.kind === "refuse" && verdict.status !== 401) return verdict;
    const signedIn = verdict?.kind === "pass";
    const answer = page.answer(asked, { signedIn });
    if (answer !== undefined) {
      const secured = (its: WholeAnswer): WholeAnswer => ({
        ...its,
        headers: { ...securityHeaders, ...its.headers },
      });
      const known = signedIn;
      if (!(answer instanceof Promise)) return { kind: "answer", answer: secured(answer), known };
      return {
        kind: "body",
        known,
        limit: 0,
        tooLong: tooLong({}),
        finish: () => answer.then(secured),
      };
    }
    return verdict ?? judge(asked);
  }

  /** The handshake for a client that verifies us before it shows the credential. */
  function proved(asked: Asked): Whole | undefined {
    const authorization = asked.header("authorization");
    if (asked.path !== handshakePath || !isRead(asked)) return undefined;
    if (authorization === undefined || !/^proof /i.test(authorization)) return undefined;
    if (!gateLayers.host(asked, place())) return undefined;
    const told = handshake(authorization, {
      credential: options.credential(),
      facts: backend.facts(),
      authority: asked.host ?? "",
    });
    return told === undefined ? undefined : value(told, {});
  }

  function admitted(asked: Asked, { by, headers }: Extract<Verdict, { kind: "pass" }>): Reception {
    if (asked.path === handshakePath) {
      if (!isRead(asked)) return wrongMethod("GET, HEAD", headers);
      const credential = options.credential();
      const own = { credential, facts: backend.facts(), authority: asked.host ?? "" };
      return value(handshake(`Bearer ${credential}`, own), headers);
    }
    if (asked.path === exchangePath) {
      if (asked.method !== "POST") return wrongMethod("POST", headers);
      return exchanged(asked, by, headers);
    }
    const command = routes.get(asked.path);
    if (command === undefined) {
      return failure(404, { code: "not_found", message: "there is no such route", headers });
    }
    if (command.method === "GET") {
      if (!isRead(asked)) return wrongMethod("GET, HEAD", headers);
      const sent = sentInQuery(asked, command);
      // GET has no body. The answer is made outside of this call, as it may take a while.
      return {
        kind: "body",
        limit: 0,
        tooLong: tooLong(headers),
        finish: () => run(command, { sent, by }, headers),
      };
    }
    if (asked.method !== "POST") return wrongMethod("POST", headers);
    if (asked.query !== "") {
      return failure(400, { code: "bad_request", message: "this route has no query", headers });
    }
    if (!gateLayers.json(asked)) {
      const message = "the body has to be JSON, with Content-Type: application/json";
      return failure(415, { code: "unsupported_media_type", message, headers });
    }
    return {
      kind: "body",
      limit: longestBody,
      tooLong: tooLong(headers),
      async finish(body) {
        const read = readJson(body);
        if (read.kind === "bad") {
          return failure(400, { code: "bad_json", message: `the body: ${read.why}`, headers })
            .answer;
        }
        return run(command, { sent: read.value, by }, headers);
      },
    };
  }

  /** A page's token -> the credential: once, and only when the whole request is there. */
  function exchanged(asked: Asked, by: Visitor, headers: Headers): Reception {
    if (by !== "token") {
      const message = "this route exchanges the token of a page; see: localhostess connect --help";
      return failure(400, { code: "bad_request", message, headers });
    }
    const token = tokenOf(asked.header("authorization"));
    const origin = asked.header("origin");
    return {
      kind: "body",
      limit: 0,
      tooLong: tooLong(headers),
      async finish() {
        // Another request with the same token may have been complete before this one.
        if (token === undefined || !options.pageTokens?.redeem(token, origin ?? "")) {
          return failure(401, { ...refusals[401], headers: { ...headers, ...challenge } }).answer;
        }
        const { protocol, version } = backend.facts();
        const credential = options.credential();
        const url = `http://${asked.host}`;
        return value({ credential, url, protocol, version }, headers).answer;
      },
    };
  }

  async function run(
    command: Command,
    { sent, by }: { sent: unknown; by: Visitor },
    headers: Headers,
  ): Promise<Answer> {
    // Read before anything is awaited: this is the credential that has just been checked.
    const credential = command.streams === false ? "" : options.credential();
    try {
      const result = await perform(command, { sent, backend, bySession: by === "session" });
      const common = { clock, headers: { ...securityHeaders, ...headers } };
      if (command.streams === "sse")
        return watched(eventStream(result as Stream, common), credential);
      if (command.streams === "lines")
        return watched(lineStream(result as Stream, common), credential);
      return value(result, headers).answer;
    } catch (error) {
      if (!(error instanceof CommandError)) options.fault(error);
      const { code, message } = errorOf(error);
      return failure(statusOfCode[code], { code, message, headers }).answer;
    }
  }

  /** Streams under way, with the credential that admitted each: a session ends with the credential that signed it. */
  const streams = new Set<{ sink: Sink; credential: string }>();

  function watched(answer: StreamAnswer, credential: string): StreamAnswer {
    return {
      ...answer,
      stream(sink) {
        const entry = { sink, credential };
        streams.add(entry);
        const cancel = answer.stream(sink);
        return () => {
          streams.delete(entry);
          cancel();
        };
      },
    };
  }

  server = startHttpServer({
    clock,
    port: options.port ?? 0,
    ready: options.ready,
    ownClient: options.ownClient,
    receive,
    refuse: (status, message) =>
      failure(status, { code: status === 408 ? "timeout" : "bad_request", message, headers: {} })
        .answer,
    fault: options.fault,
  });
  const { port: bound } = server;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    get connections() {
      return server.connections;
    },
    credentialChanged() {
      const now = options.credential();
      for (const { sink, credential } of [...streams]) if (credential !== now) sink.end();
    },
    sockets: server.sockets,
    leave: () => server.leave(leavingPatience),
    stop: () => server.stop(drain),
  };
}

function isRead({ method }: Asked): boolean {
  return method === "GET" || method === "HEAD";
}

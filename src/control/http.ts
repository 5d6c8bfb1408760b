/** Requests to the daemon's own port -> its answers: the handshake and the end, for whoever has the credential. */
import type { Facts } from "./protocol.ts";
import { handshake, handshakePath } from "./handshake.ts";
import { sameSecret } from "./proof.ts";

export const shutdownPath = "/v1/shutdown";

export type HttpDoorOptions = {
  credential(): string;
  facts(): Facts;
  shutdown(): void;
};

export interface HttpDoor {
  /** No final slash. */
  readonly url: string;
  /** Answers under way end. Twice is harmless. */
  stop(): Promise<void>;
}

const address = "127.0.0.1";

/** On a port that the system chooses. @throws the system's error. */
export function startHttpDoor({ credential, facts, shutdown }: HttpDoorOptions): HttpDoor {
  const server = Bun.serve({
    hostname: address,
    port: 0,
    maxRequestBodySize: 1024 * 1024,
    fetch(request) {
      const authority = request.headers.get("host") ?? "";
      const ours = [`${address}:${server.port}`, `localhost:${server.port}`];
      if (!ours.includes(authority)) return reply({ error: { code: "bad_host" } }, 421);
      const { pathname } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      if (pathname === handshakePath && request.method === "GET") {
        const body = handshake(authorization, {
          credential: credential(),
          facts: facts(),
          authority,
        });
        if (body !== undefined) return reply(body);
      }
      const bearer = /^bearer (\S+)$/i.exec(authorization ?? "")?.[1];
      if (bearer === undefined || !sameSecret(bearer, credential())) {
        return reply({ error: { code: "unauthorized" } }, 401);
      }
      if (pathname === shutdownPath && request.method === "POST") {
        // After the answer is out.
        setTimeout(shutdown, 0);
        return reply({ ok: true });
      }
      return reply({ error: { code: "not_found" } }, 404);
    },
  });
  return {
    url: `http://${address}:${server.port}`,
    stop: () => server.stop(),
  };
}

function reply(value: unknown, status = 200): Response {
  const headers: Record<string, string> = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  };
  if (status === 401) headers["WWW-Authenticate"] = "Bearer";
  return Response.json(value, { status, headers });
}

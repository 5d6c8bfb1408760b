/** A server whose logins are bound to connections, as NTLM's are: the connection is the session. */
import type { RawEnd } from "./raw-end.ts";
import { RawServer } from "./raw-server.ts";
import type { Message } from "./strict-reader.ts";

/** `scheme`, and how the challenge is written; `anonymous`: who has not logged in is served, too. */
export type LoginServerOptions = {
  scheme?: string;
  challenge?: (scheme: string) => readonly string[];
  anonymous?: boolean;
  /** Sees a request before the server does. @returns true where it has answered. */
  first?: (request: Message, end: RawEnd) => boolean;
};

type Session = { begun: boolean; user: string | undefined };

/**
 * `Authorization: NTLM TYPE1` begins a login, `NTLM TYPE3-alice` ends it, on the same connection. `/broken` is answered
 * with the end of the connection, `/last` with `Connection: close`. Every answer's body says whom the server sees.
 */
export function loginServer({
  scheme = "NTLM",
  challenge = (name) => [`WWW-Authenticate: ${name}`],
  anonymous = false,
  first = () => false,
}: LoginServerOptions = {}): RawServer {
  const sessions = new WeakMap<RawEnd, Session>();
  return new RawServer({
    answer(request, end) {
      if (first(request, end)) return;
      const session = sessions.get(end) ?? { begun: false, user: undefined };
      sessions.set(end, session);
      if (request.target === "/broken") {
        end.finish();
        return;
      }
      const [, step = ""] = (request.all("authorization")[0] ?? "").split(/\s+/);
      if (step === "TYPE1") {
        session.begun = true;
        session.user = undefined;
        return answer(401, "challenge", [`WWW-Authenticate: ${scheme} CHALLENGE`]);
      }
      if (step.startsWith("TYPE3-")) {
        if (session.begun) session.user = step.slice(6);
        session.begun = false;
      }
      const more = request.target === "/last" ? ["Connection: close"] : [];
      if (session.user === undefined && !anonymous) {
        return answer(401, "nobody", [...challenge(scheme), ...more]);
      }
      return answer(200, session.user ?? "nobody", more);
    },
  });
}

function answer(status: number, body: string, fields: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status} -`, ...fields, `Content-Length: ${body.length}`];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Replies to AUTH and PING -> whether a Redis or Valkey takes commands. Pure. RESP, as redis.io documents it. */
import { CR, encode, latin1, LF } from "./bytes.ts";
import { bad, more, type Parsed } from "./parsed.ts";
import { notYet, serves, type StoreQuestion, type StoreState } from "./store-answer.ts";

/**
 * The user that asks. Without one, a server with a password answers NOAUTH also while it loads its data: Redis looks at
 * the user before it looks at its own state.
 */
const asker = "localhostess";

/** The line of the configuration that makes this user, who may do nothing else. Redis 6 or newer. */
export const askerSetting = `user ${asker} on nopass resetkeys resetchannels -@all +ping`;

/** Bytes of a line. Redis cuts the words of its own errors at 256. */
const longest = 1024;

const notRedis = "its answer is not Redis's protocol";

export const redisQuestion: StoreQuestion = {
  hello: encode(
    `*3\r\n$4\r\nAUTH\r\n$${asker.length}\r\n${asker}\r\n$1\r\n-\r\n*1\r\n$4\r\nPING\r\n`,
  ),
  answer(bytes) {
    const login = lineFrom(bytes, 0);
    if (login.kind !== "done") return login;
    // Said once in the place of all answers; then the connection is closed.
    if (/^-(?:DENIED|ERR max number of clients)/.test(login.value)) {
      return { ...login, value: notYet(login.value.slice(1)) };
    }
    const ping = lineFrom(bytes, login.end);
    return ping.kind === "done" ? { ...ping, value: stateIn(ping.value) } : ping;
  },
};

function stateIn(line: string): StoreState {
  // Before Redis 6 there is no user to ask as.
  return line === "+PONG" || line.startsWith("-NOAUTH") ? serves : notYet(line.slice(1));
}

/** A simple string or an error, with its first character. */
function lineFrom(bytes: Uint8Array, start: number): Parsed<string> {
  const first = bytes[start];
  if (first === undefined) return more;
  if (first !== 0x2b && first !== 0x2d) return bad(502, notRedis);
  const end = bytes.indexOf(LF, start);
  if (end === -1) return bytes.length - start > longest ? bad(502, notRedis) : more;
  if (bytes[end - 1] !== CR) return bad(502, notRedis);
  return { kind: "done", value: latin1(bytes, start, end - 1), end: end + 1 };
}

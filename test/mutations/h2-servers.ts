/** Guards between us and servers of HTTP/2 -> how each could be lost. */
import type { Fault } from "./fault.ts";

const frames = ["test/proxy/streams/server-session.test.ts"];
const learning = ["test/proxy/h2-servers.test.ts"];
const sessions = ["test/proxy/h2-sessions.test.ts"];

export const h2Servers: readonly Fault[] = [
  {
    name: "a line end in a field of HTTP/2 becomes one in HTTP/1.1",
    file: "src/wire/h2/answer.ts",
    find: "if (octet === CR || octet === LF || octet === 0) return true;",
    replace: "if (octet === 0) return true;",
    tests: frames,
  },
  {
    name: "an answer of HTTP/2 may be shorter than it announced",
    file: "src/proxy/streams/server-frames.ts",
    find: "if (!stream.end(trailers)) return this.#fail(stream, malformed, lessThanAnnounced);",
    replace: "stream.end(trailers);",
    tests: frames,
  },
  {
    name: "an answer of HTTP/2 may be longer than it announced",
    file: "src/proxy/streams/server-frames.ts",
    find: "if (!stream.takes(end - start)) {",
    replace: "if (stream.id === 0) {",
    tests: frames,
  },
  {
    name: "a server of HTTP/2 may answer what nobody has asked",
    file: "src/proxy/streams/server-session.ts",
    find: "return id > this.#lastId;",
    replace: "return id > 1_000_000;",
    tests: frames,
  },
  {
    name: "a server of HTTP/2 that reads nothing is read on",
    file: "src/proxy/streams/server-session.ts",
    find: "if (this.#sending.unread) this.link.pause();",
    replace: "",
    tests: frames,
  },
  {
    name: "a client that leaves does not take its request back from a server of HTTP/2",
    file: "src/proxy/streams/request-stream.ts",
    find: "this.#session.reset(this, isDone ? ErrorCode.noError : ErrorCode.cancel);",
    replace: "if (isDone) this.#session.reset(this, ErrorCode.noError);",
    tests: [...frames, ...sessions],
  },
  {
    name: "a client that reads nothing is sent all that a server of HTTP/2 has",
    file: "src/proxy/streams/request-stream.ts",
    find: "if (this.#paused && !this.closing) this.#withheld += count;",
    replace: "if (this.closing) this.#withheld += count;",
    tests: frames,
  },
  {
    name: "a request that a server of HTTP/2 may have processed is sent again",
    file: "src/proxy/upstream/exchange.ts",
    find: "      cause.unprocessed &&\n",
    replace: "",
    tests: sessions,
  },
  {
    name: "a request that a server of HTTP/2 gives back is sent to it for ever",
    file: "src/proxy/upstream/exchange.ts",
    find: "if (mayReturn && ++this.#returns <= returnLimit) {",
    replace: "if (mayReturn && ++this.#returns <= 1_000 * returnLimit) {",
    tests: sessions,
  },
  {
    name: "a server of HTTP/2 gets more streams at once than it takes",
    file: "src/proxy/streams/server-session.ts",
    find: "return Math.max(0, this.#frames.settings.streams - this.#all.size);",
    replace: "return 1_000;",
    tests: [...frames, ...sessions],
  },
  {
    name: "any number of connections to a server of HTTP/2",
    file: "src/proxy/upstream/sessions.ts",
    find: "server.open.size >= sessionLimit",
    replace: "server.open.size >= 1_000 * sessionLimit",
    tests: sessions,
  },
  {
    name: "one client's resets end a session with a server of HTTP/2, and another client's streams on it",
    file: "src/proxy/streams/server-session.ts",
    find: "return this.#isOld || this.#resets + this.#all.size >= resetLimit;",
    replace: "return false;",
    tests: [...frames, ...sessions],
  },
  {
    name: "a client of HTTP/2 hears that nothing of its request was processed when its answer breaks off",
    file: "src/proxy/h2/stream-link.ts",
    find: "if (code === cancel || code === enhanceYourCalm) this.#breakCode = code;",
    replace: "if (cancel + enhanceYourCalm > 0) this.#breakCode = code as ErrorCode;",
    tests: sessions,
  },
  {
    name: "an idle connection to a server of HTTP/2 stays",
    file: "src/proxy/upstream/sessions.ts",
    find: "if (session.isIdle && session.idleSince <= oldest) session.close();",
    replace: "",
    tests: sessions,
  },
  {
    name: "a server that answers a preface with anything speaks HTTP/2",
    file: "src/wire/h2/begins-with-frame.ts",
    find: "bytes[3] === FrameType.settings ||",
    replace: "bytes[3] !== undefined ||",
    tests: [...frames, ...learning],
  },
  {
    name: "frames in reply to HTTP/1.1 are an answer",
    file: "src/proxy/upstream/dialect.ts",
    find: "    if (beginsWithFrame(bytes)) {\n",
    replace: "    if (beginsWithFrame(bytes) && secured) {\n",
    tests: learning,
  },
  {
    name: "a way to a service that was just learned is not taken",
    file: "src/proxy/request/waiting.ts",
    find: "if (shown !== undefined) this.#shared.dialects.of(service).learn(shown);",
    replace: "",
    tests: learning,
  },
  {
    name: "a connection that was begun before others learned what its server speaks is believed",
    file: "src/proxy/upstream/dialect.ts",
    find: 'return this.#known !== (secured ? "https" : "plain");',
    replace: 'return this.#known === "unknown" || this.#known === (secured ? "tls" : "cleartext");',
    tests: ["test/proxy/upstream/dialect.test.ts"],
  },
  {
    name: "a session with a server of HTTP/2 takes requests while it is ended",
    file: "src/proxy/streams/server-session.ts",
    find: '    this.#phase = "draining";\n    this.#goAway(ErrorCode.noError, "");\n',
    replace: '    this.#goAway(ErrorCode.noError, "");\n',
    tests: frames,
  },
  {
    name: "a server of HTTP/2 that takes nothing is dialled for ever",
    file: "src/proxy/upstream/sessions.ts",
    find: "++server.barren <= sessionLimit",
    replace: "++server.barren <= 1_000 * sessionLimit",
    tests: sessions,
  },
];

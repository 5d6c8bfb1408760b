/** Guards that our own suites see lost from outside: at the client, and at the server behind the proxy. */
import type { Fault } from "./fault.ts";

const tests = ["test/suites/own.test.ts"];

export const suites: readonly Fault[] = [
  {
    name: "a length and chunks in one request: the length counts, and the server gets a request that hid in a body",
    file: "src/wire/framing.ts",
    find: 'if (this.hasLength) return bad(400, "there is a Content-Length beside a Transfer-Encoding");',
    replace: "if (this.hasLength) this.hasCoding = false;",
    tests,
    only: "payload",
  },
  {
    name: "a field of HTTP/2 that could end a line of HTTP/1.1 is dropped, and its request goes on",
    file: "src/wire/h2/request.ts",
    find: 'this.malformed = "a field value holds what no value may hold";',
    replace: "",
    tests,
    only: "HTTP/2",
  },
  {
    name: "fields of HTTP/1.1's connections come through from HTTP/2",
    file: "src/wire/h2/request.ts",
    find: 'this.malformed = "a field of HTTP/1.1\'s connections has no place in HTTP/2";',
    replace: "",
    tests,
    only: "HTTP/2",
  },
];

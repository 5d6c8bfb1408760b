/** Guards of what servers are told of where a request went, and of what clients are told -> how each could be lost. */
import type { Fault } from "./fault.ts";

const ways = ["test/proxy/identity.test.ts"];
const names = ["test/proxy/upstream/names.test.ts"];
const loops = ["test/proxy/loops.test.ts"];

export const identity: readonly Fault[] = [
  {
    name: "a server's redirect to its own port leads its client away from the proxy",
    file: "src/proxy/upstream/names.ts",
    find: "  if (meansItself) own.push(server);\n",
    replace: "",
    tests: names,
  },
  {
    name: "a server that speaks TLS can lead nobody from http to https",
    file: "src/proxy/upstream/names.ts",
    find: 'const meansItself = server.scheme === "http" || visible.scheme === "https";',
    replace: "const meansItself = true;",
    tests: names,
  },
  {
    name: "a URL that only begins with a name of ours is mapped",
    file: "src/proxy/upstream/names.ts",
    find: "(?=[/?#]|$)/i;",
    replace: "/i;",
    tests: names,
  },
  {
    name: "a redirect to our https is mapped to http, and comes again",
    file: "src/proxy/upstream/names.ts",
    find: "(scheme ?? its.scheme) === its.scheme && portIn(",
    replace: "portIn(",
    tests: names,
  },
  {
    name: "a cookie of a whole domain is refused by the browser",
    file: "src/proxy/upstream/names.ts",
    find: 'if (!visible.host.includes(".") || !asked.includes(".")) return "";',
    replace: 'if (!visible.host.includes(".")) return "";',
    tests: names,
  },
  {
    name: "text in the quotes of a Link is taken for a URL",
    file: "src/proxy/upstream/mapped-values.ts",
    find: "      if (isAnchor(value, at)) replace(at + 1, end);\n      at = end;",
    replace: "      if (isAnchor(value, at)) replace(at + 1, end);",
    tests: ["test/proxy/upstream/mapped-values.test.ts", ...ways],
  },
  {
    name: "an answer to a page of another name allows the name that was asked for",
    file: "src/proxy/upstream/mapped-fields.ts",
    find: "return !answer.keepsOrigin && isOrigin(value) ? map(value) : undefined;",
    replace: "return isOrigin(value) ? map(value) : undefined;",
    tests: ways,
  },
  {
    name: "a trailer tells the client the name that only the server knows",
    file: "src/proxy/upstream/exchange.ts",
    find: "{ answer: this.#answerNames, out });",
    replace: "{ out });",
    tests: ways,
  },
  {
    name: "a URL's scheme is that of the connection to the proxy",
    file: "src/proxy/request/routing.ts",
    find: '      secure: target.scheme === "https",',
    replace: "      secure,",
    tests: ways,
  },
  {
    name: "what is plain inside a tunnel is told as https, because the tunnel came by TLS",
    file: "src/proxy/client/connection.ts",
    find: "    this.secured = false;\n",
    replace: "",
    tests: ways,
  },
  {
    name: "an https URL is served to everybody who listens",
    file: "src/wire/target.ts",
    find: 'if (scheme === "https" && !secured) {',
    replace: 'if (scheme === "https" && secured === undefined) {',
    tests: ["test/proxy/forward-proxy.test.ts"],
  },
  {
    name: "a server that refuses proxies is told of one",
    file: "src/proxy/request/destination.ts",
    find: "forwarded: destination.settings.forwarded,",
    replace: 'forwarded: "all",',
    tests: ways,
  },
  {
    name: "the marks of others go, and a circle through two proxies has no end",
    file: "src/proxy/upstream/own-fields.ts",
    find: "[...valuesOf(head, bytes, Field.cdnLoop), mark]",
    replace: "[mark]",
    tests: loops,
  },
  {
    name: "every request has a Via, and nginx compresses nothing",
    file: "src/proxy/upstream/own-fields.ts",
    find: "if (head.find(Field.via) !== -1) out.latin1",
    replace: "out.latin1",
    tests: loops,
  },
];

/** Guards of clients that speak HTTP/2 or TLS to us -> how each could be lost. */
import type { Fault } from "./fault.ts";

const frames = ["test/proxy/h2/conformance.test.ts", "test/wire/h2/frame-rules.test.ts"];
const handshakes = ["test/tls/handshakes.test.ts"];

export const h2Clients: readonly Fault[] = [
  {
    name: "a stream of HTTP/2 may depend on itself by its HEADERS",
    file: "src/proxy/h2/client-frames.ts",
    find: "if (sections.ofItself) return this.#refuseNew(ofItself);",
    replace: "",
    tests: frames,
    only: "depends on itself",
  },
  {
    name: "a stream of HTTP/2 may depend on itself by PRIORITY",
    file: "src/wire/h2/frame-rules.ts",
    find: "further: (frame) => (dependsOnItself(frame) ? ofItself : undefined),",
    replace: "",
    tests: frames,
    only: "depends on itself|5.3.1",
  },
  {
    name: "suites without AEAD are accepted by Bun's own TLS",
    file: "src/link/secure.ts",
    find: "      ciphers: cipherSuites,\n",
    replace: "",
    tests: handshakes,
    only: "openssl",
  },
  {
    name: "suites without AEAD are accepted behind a hello that was read",
    file: "src/tls/terminate.ts",
    find: "      ciphers: cipherSuites,\n",
    replace: "",
    tests: handshakes,
    only: "openssl",
  },
  {
    name: "clients with a long hello are asked for a certificate",
    file: "src/tls/terminate.ts",
    find: "stream()._handle?.setVerifyMode?.(false, false);",
    replace: "",
    tests: handshakes,
    only: "openssl",
  },
  {
    name: "an answer before the end of its upload is reset with its last octet",
    file: "src/proxy/h2/late-bodies.ts",
    find: "if (this.#late.size <= limit) return;",
    replace: "",
    tests: ["test/proxy/h2/late-bodies.test.ts"],
  },
  {
    name: "uploads that were refused are taken without end",
    file: "src/proxy/h2/late-bodies.ts",
    find: "late.left -= count;",
    replace: "",
    tests: ["test/proxy/h2/late-bodies.test.ts"],
  },
  {
    name: "the preface of HTTP/2 counts behind a request of HTTP/1.1",
    file: "src/proxy/client/connection.ts",
    find: "if (this.served === 0 && bytes[0] === preface[0]",
    replace: "if (bytes[0] === preface[0]",
    tests: ["test/proxy/h2c.test.ts"],
  },
  {
    name: "a session without TLS is told to services as https",
    file: "src/proxy/client/connection.ts",
    find: "this.secured = inside?.secured ?? false;",
    replace: "this.secured = inside !== undefined;",
    tests: ["test/proxy/h2c.test.ts"],
  },
  {
    name: "HTTP/2 in a tunnel is read by us although the service speaks it",
    file: "src/proxy/tunnel/preface-tunnel.ts",
    find: "if (refusals.includes(bytes[0]!)) this.#refused();",
    replace: "if (bytes.length > 0) this.#refused();",
    tests: ["test/proxy/h2c.test.ts"],
  },
  {
    name: "the bytes behind a refused WebSocket over HTTP/2 are a request",
    file: "src/proxy/h2/stream-link.ts",
    find: "if (tunnel !== undefined && !tunnel.isOpen) tunnel.hold(piece);",
    replace: "if (tunnel === undefined && piece.length < 0) this.#giveBack();",
    tests: ["test/proxy/h2/websocket.test.ts"],
  },
  {
    name: "a page in the place of a WebSocket is told to clients of HTTP/2 as one",
    file: "src/proxy/h2/stream-link.ts",
    find: "if (head.status < 300) head.status = 502;",
    replace: "",
    tests: ["test/proxy/h2/websocket.test.ts"],
  },
  {
    name: "the end of one side of a WebSocket over HTTP/2 ends both",
    file: "src/proxy/h2/stream-link.ts",
    find: "if (this.#tunnel?.isOpen) this.#sendEnd();",
    replace: "if (this.#tunnel === undefined) this.#sendEnd();",
    tests: ["test/proxy/h2/websocket.test.ts"],
  },
  {
    name: "a client of HTTP/2 chooses the key of its WebSocket's handshake",
    file: "src/wire/h2/request.ts",
    find: "if (this.protocol === undefined) this.#out.append(field.line);",
    replace: "this.#out.append(field.line);",
    tests: ["test/wire/h2/request.test.ts", "test/proxy/h2/websocket.test.ts"],
  },
];

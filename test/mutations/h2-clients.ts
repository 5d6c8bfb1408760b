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
];

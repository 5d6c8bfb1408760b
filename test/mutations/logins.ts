/** Guards of logins that are bound to their connections -> how each could be lost. */
import type { Fault } from "./fault.ts";

const tests = ["test/proxy/bound-logins.test.ts"];

export const logins: readonly Fault[] = [
  {
    name: "a connection with a login goes back to everybody's",
    file: "src/proxy/upstream/pool.ts",
    find: "if (upstream.owner !== undefined) {",
    replace: "if (upstream.owner !== undefined && upstream.served > 1_000) {",
    tests,
  },
  {
    name: "a request that logs in does so on a connection that others may get",
    file: "src/proxy/client/serving.ts",
    find: "if (framing.login !== Login.none && upstream.stream === undefined) {",
    replace: "if (framing.login !== Login.none && upstream.stream !== undefined) {",
    tests,
  },
  {
    name: "a connection on which the server offered a login goes on to others",
    file: "src/proxy/upstream/exchange.ts",
    find: "if (heads.framing.bindsLogin && heads.framing.keepAlive && !heads.mended) {",
    replace: "if (heads.framing.bindsLogin && heads.mended) {",
    tests,
  },
  {
    name: "a login's connection stays open when its client has gone",
    file: "src/proxy/upstream/logins.ts",
    find: "for (const its of [...this.#all.values()]) its.close();",
    replace: "",
    tests,
  },
  {
    name: "a client does not hear that its login is gone",
    file: "src/proxy/upstream/login-connection.ts",
    find: "if (upstream.isCountedOn) this.#facts.lost();",
    replace: "",
    tests,
  },
  {
    name: "a request with a login is sent again without it",
    file: "src/proxy/upstream/exchange.ts",
    find: "      !upstream.isCountedOn &&\n",
    replace: "",
    tests,
  },
  {
    name: "a client that has logged in at one instance is led to the next",
    file: "src/proxy/client/current-destination.ts",
    find: "return found.ring.all.find(({ key }) => logins.has(key)) ?? found;",
    replace: "return found;",
    tests,
  },
  {
    name: "streams come between the steps of a login",
    file: "src/proxy/upstream/login-connection.ts",
    find: "if (upstream === this.#upstream) this.#midway = this.#facts.parallel;",
    replace: "if (upstream === this.#upstream) this.#midway = false;",
    tests,
  },
  {
    name: "a login at a server of HTTP/2 is on a session that others use",
    file: "src/proxy/client/serving.ts",
    find: "return isApart ? { ...way, key: this.#client.ownLogins().ownKey(way.key) } : way;",
    replace: "return isApart ? way : way;",
    tests,
  },
  {
    name: "a list of challenges is read to its first",
    file: "src/wire/login.ts",
    find: "if (isBoundScheme(bytes, from, at)) return true;",
    replace: "return isBoundScheme(bytes, from, at);",
    tests: [...tests, "test/wire/login.test.ts"],
  },
];

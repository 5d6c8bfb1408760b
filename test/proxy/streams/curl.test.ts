/** curl in front of the proxy, by every road and both versions of HTTP, and servers of HTTP/2 alone behind it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type H2Only, h2Only } from "../../support/h2-only.ts";
import { startTestProxy, type TestProxy } from "../../support/test-proxy.ts";
import { testTerminator } from "../../support/test-tls.ts";
import {
  type ThrowawayCertificateAuthority,
  throwawayCertificateAuthority,
} from "../../support/throwaway-certificate-authority.ts";
import { describeWith } from "../../support/with-programs.ts";

describeWith(["curl"])("curl", () => {
  let throwaway: ThrowawayCertificateAuthority;
  let plain: H2Only;
  let secured: H2Only;
  let proxy: TestProxy;

  beforeAll(async () => {
    throwaway = await throwawayCertificateAuthority();
    plain = await h2Only();
    secured = await h2Only({ leaf: await throwaway.leafFor("other.localhost"), strict: true });
    proxy = await startTestProxy({
      services: { plain, secured },
      terminator: testTerminator((name) => throwaway.leafFor(name)),
    });
  });

  afterAll(async () => {
    await proxy.stop();
    await plain[Symbol.asyncDispose]();
    await secured[Symbol.asyncDispose]();
    await throwaway[Symbol.asyncDispose]();
  });

  const prior = "--http2-prior-knowledge";
  /** Arguments, and the version of HTTP that curl speaks. `@`: the proxy's port; `NAME`: the service. */
  const roads: Record<string, [arguments_: string[], version: string]> = {
    "http, HTTP/1.1": [["-H", "Host: NAME.localhost", "http://127.0.0.1:@/x"], "1.1"],
    "http, HTTP/2": [[prior, "-H", "Host: NAME.localhost", "http://127.0.0.1:@/x"], "2"],
    "https, HTTP/1.1": [["--http1.1", "https://NAME.localhost:@/x"], "1.1"],
    "https, HTTP/2": [["--http2", "https://NAME.localhost:@/x"], "2"],
    "an HTTP proxy": [["-x", "http://127.0.0.1:@", "http://NAME/x"], "1.1"],
    "CONNECT, HTTP/1.1": [["-p", "-x", "http://127.0.0.1:@", "http://NAME.localhost/x"], "1.1"],
    "CONNECT, HTTP/2": [["-p", "-x", "http://127.0.0.1:@", prior, "http://NAME.localhost/x"], "2"],
    "CONNECT, https": [
      ["-p", "-k", "-x", "http://127.0.0.1:@", "--http2", "https://NAME.localhost/x"],
      "2",
    ],
  };

  for (const name of ["plain", "secured"]) {
    test.each(Object.entries(roads))(
      `by %s to the ${name} server`,
      async (_road, [given, version]) => {
        const its = given.map((text) => text.replace("@", `${proxy.port}`).replace("NAME", name));
        const child = Bun.spawn(
          [
            ...["curl", "-sS", "--max-time", "20", "--cacert", throwaway.ca.certificatePath],
            ...["--resolve", `${name}.localhost:${proxy.port}:127.0.0.1`],
            ...["-w", " %{http_version} %{http_code}", ...its],
          ],
          { stdout: "pipe", stderr: "pipe", env: { PATH: process.env.PATH } },
        );
        const [text, complaint] = await Promise.all([
          new Response(child.stdout).text(),
          new Response(child.stderr).text(),
        ]);
        expect([text, complaint]).toEqual([`GET /x  ${version} 200`, ""]);
      },
    );
  }
});

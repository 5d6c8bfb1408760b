/** A real Chromium that trusts our authority, by our own command, and what a thief of its key could sign. */
import { expect, test } from "bun:test";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { identity } from "../support/throwaway-certificate-authority.ts";
import { systemClock } from "../../src/system/clock.ts";
import { loadCertificateAuthority } from "../../src/tls/certificate-authority.ts";
import { DAY, signLeaf } from "../../src/tls/certificate.ts";
import { temporarySystem } from "../cli/temporary-system.ts";
import { openBrowser } from "../support/browser.ts";
import { describeWith } from "../support/with-programs.ts";

const names = ["shop.localhost", "example.com", "www.example.com"];

describeWith(["chromium", "certutil"])("a stolen key", () => {
  test("makes no name of somebody else that Chromium takes", async () => {
    await using system = await temporarySystem();
    expect((await system.run(["trust"])).code).toBe(0);
    const loaded = await loadCertificateAuthority({
      stateDirectory: system.stateDirectory,
      kind: "names",
      tlds: [],
      clock: systemClock,
      identity,
    });
    if (loaded.kind !== "ready") throw new Error(`there is no authority: ${loaded.kind}`);
    const at = Date.now();
    const server = tls.createServer(
      {
        SNICallback: (serverName, done) => {
          const leaf = {
            dns: [serverName],
            addresses: [],
            validity: { from: at - DAY, to: at + DAY },
          };
          signLeaf(loaded.ca, leaf).then(
            ({ certificate, key }) =>
              done(null, tls.createSecureContext({ cert: certificate, key })),
            (error: Error) => done(error),
          );
        },
      },
      (socket) => {
        socket.on("error", () => {});
        socket.once("data", () => {
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken");
        });
      },
    );
    // A browser that refuses a certificate breaks off.
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(", ");
    const browser = await openBrowser({
      port,
      home: system.home,
      more: [`--host-resolver-rules=${rules}`, "--no-proxy-server"],
    });
    try {
      const page = await browser.context.newPage();
      const visit = async (name: string): Promise<string> => {
        try {
          const answer = await page.goto(`https://${name}:${port}/`);
          return String(answer?.status());
        } catch (error) {
          return /ERR_\w+/.exec((error as Error).message)?.[0] ?? String(error);
        }
      };
      expect(await visit("shop.localhost")).toBe("200");
      for (const name of names.slice(1)) expect(await visit(name)).toStartWith("ERR_CERT_");
    } finally {
      await browser.close();
      server.close();
    }
  }, 120_000);
});

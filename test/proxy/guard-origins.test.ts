/** The origins of pages, in every form that one may have -> whose they are to the guard. */
import { describe, expect, test } from "bun:test";
import { type Asked, evil, fromElsewhere, opened, socket, verdict } from "../support/guarded.ts";

describe("a fetch of a page", () => {
  const fetching = (...fields: string[]): Asked => ({ line: "PUT /", fields });
  const ours = [
    "http://localhost",
    "https://localhost:8443",
    "http://LOCALHOST:3000",
    "http://localhost.:3000",
    "http://127.0.0.1:3000",
    "http://127.0.0.2",
    "http://127.1",
    "http://[::1]:3000",
    "http://[0:0:0:0:0:0:0:1]",
    "http://web.localhost",
    "http://nobody-has.this.localhost",
    "https://web.test",
    "https://a.web.test:8443",
    "tauri://localhost",
    "http://tauri.localhost",
    "http://localhost/",
    "https://web",
  ];
  const foreign = [
    "null",
    "",
    "https://evil.example",
    "http://localhost.evil.example",
    "http://evil-localhost",
    "http://evillocalhost",
    "http://localhost@evil.example",
    "http://localhost:80@evil.example",
    "http://evil.example#.localhost",
    "http://evil.example?.localhost",
    "http://evil.example/.localhost",
    "http://evil.example\\.localhost",
    "http://localhost\\.evil.example",
    "http://evil.example\\@localhost",
    "http://evil.example/@localhost",
    "http://evil.example:80#@localhost",
    "http://localhost%00.evil.example",
    "http://localhost%2eevil.example",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1.nip.io",
    "http://127.0.0.256",
    "http://128.0.0.1",
    "http://192.168.1.5:3000",
    "http://0.0.0.0:3000",
    "http://[::ffff:192.168.1.5]",
    "http://[::]",
    "http://test",
    "http://evil.test.example",
    "http://evil-test",
    "http://eviltest",
    "http://web",
    "https://nobody-has-this",
    "http://localhost http://evil.example",
    "http://localhost, http://evil.example",
    "http://localhost:99999",
    "localhost",
    "//localhost",
    "http:localhost",
    "http:///localhost",
    "chrome-extension://abcdefghijklmnop",
    "file://",
    "about:blank",
    "blob:http://localhost/1",
  ];
  for (const origin of ours) {
    test(`of ${origin} passes`, () => {
      expect(verdict(fetching(fromElsewhere, `Origin: ${origin}`))).toBe("passes");
      expect(verdict(fetching(`Origin: ${origin}`))).toBe("passes");
    });
  }
  for (const origin of foreign) {
    test(`of ${JSON.stringify(origin)} is refused`, () => {
      expect(verdict(fetching(fromElsewhere, `Origin: ${origin}`))).toBe("request");
      expect(verdict(fetching(`Origin: ${origin}`))).toBe("request");
      expect(verdict({ line: "GET /", fields: [`Origin: ${origin}`, ...socket] })).toBe(
        "websocket",
      );
    });
  }

  test("a Referer is a URL, and its host counts", () => {
    const image = (referer: string): Asked => ({ fields: [fromElsewhere, `Referer: ${referer}`] });
    expect(verdict(image("http://web.localhost:9090/a/b?c#d"))).toBe("passes");
    for (const referer of [
      "http://web.localhost@evil.example/",
      "https://evil.example/?http://web.localhost/",
      "https://evil.example#web.localhost",
      "about:client",
      "/a",
      "",
    ]) {
      expect(`${referer} ${verdict(image(referer))}`).toBe(`${referer} request`);
    }
  });

  test("fields that are there twice say the worst of them", () => {
    const here = "Origin: http://web.localhost";
    expect(verdict(fetching(fromElsewhere, here, evil))).toBe("request");
    expect(verdict(fetching(fromElsewhere, evil, here))).toBe("request");
    expect(verdict(fetching(fromElsewhere, here, here))).toBe("passes");
    expect(verdict(fetching("Sec-Fetch-Site: none", fromElsewhere, evil))).toBe("request");
    expect(verdict(fetching(fromElsewhere, "Sec-Fetch-Site: same-origin", evil))).toBe("request");
    expect(verdict({ fields: [fromElsewhere, ...opened, "Sec-Fetch-Dest: iframe"] })).toBe(
      "request",
    );
    const referers = ["Referer: http://web.localhost/", "Referer: https://evil.example/"];
    expect(verdict({ fields: [fromElsewhere, ...referers] })).toBe("request");
  });

  test("an answer of Sec-Fetch-Site that nobody knows is another site", () => {
    for (const site of ["Cross-Site", "same-party", "none, cross-site", "", "null"]) {
      const refused = verdict(fetching(`Sec-Fetch-Site: ${site}`, evil));
      expect(`${site}: ${refused}`).toBe(`${site}: request`);
    }
    expect(verdict(fetching("sec-fetch-site: Same-Origin", evil))).toBe("passes");
  });
});

describe("a bare name", () => {
  const put = (host: string, origin: string, mode?: Asked["mode"]): string =>
    verdict({
      ...{ line: "PUT /", host, fields: [`Origin: ${origin}`] },
      ...(mode === undefined ? {} : { mode }),
    });

  test("asks itself, whatever the port", () => {
    expect(put("api", "http://api", "forward")).toBe("passes");
    expect(put("api", "http://api:3000", "forward")).toBe("passes");
  });

  test("is ours to who uses us as the proxy, or comes by https", () => {
    expect(put("api", "http://web", "forward")).toBe("passes");
    expect(put("api", "http://web", "tunnelled")).toBe("passes");
    expect(put("api.localhost", "https://web")).toBe("passes");
    expect(put("api.localhost", "http://web")).toBe("request");
    expect(put("api", "http://nobody", "forward")).toBe("request");
  });
});

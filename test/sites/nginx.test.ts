/**
 * Requests for the same folder -> the answers of nginx, which ours are held against. Left out are ranges that are none
 * (`bytes=5-4`): nginx refuses them with 416, we leave them unheeded. RFC 9110 section 14.2 allows either.
 */
import { expect, test } from "bun:test";
import { mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { describeWith } from "../support/with-programs.ts";
import { sitePlace } from "./site-place.ts";

const before = "Sun, 06 Nov 1994 08:49:36 GMT";
const same = "Sun, 06 Nov 1994 08:49:37 GMT";
const after = "Sun, 06 Nov 1994 08:49:38 GMT";

/** `$` stands for the server's own entity tag. */
const requests: Record<string, string>[] = [
  {},
  { range: "bytes=0-0" },
  { range: "bytes=2-4" },
  { range: "bytes=2-" },
  { range: "bytes=-2" },
  { range: "bytes=-100" },
  { range: "bytes=9-100" },
  { range: "bytes=10-" },
  { range: "lines=1-2" },
  { range: "bytes=0-9,0-9" },
  { range: "bytes=2-4", "if-range": "$" },
  { range: "bytes=2-4", "if-range": '"x"' },
  { range: "bytes=2-4", "if-range": same },
  { range: "bytes=2-4", "if-range": after },
  { "if-none-match": "$" },
  { "if-none-match": '"x"' },
  { "if-none-match": '"x", $' },
  { "if-none-match": "W/$" },
  { "if-none-match": "*" },
  { "if-none-match": '"x"', "if-modified-since": same },
  { "if-modified-since": same },
  { "if-modified-since": before },
  { "if-match": "$" },
  { "if-match": '"x"' },
  { "if-match": "W/$" },
  { "if-unmodified-since": before },
  { "if-unmodified-since": same },
  { range: "bytes=2-4", "if-none-match": "$" },
];

describeWith(["nginx"])("beside nginx", () => {
  test("ranges and conditions are answered alike", async () => {
    await using site = sitePlace({ "a.txt": "0123456789" });
    utimesSync(join(site.folder, "a.txt"), Date.parse(same) / 1000, Date.parse(same) / 1000);
    const place = join(site.folder, ".nginx");
    mkdirSync(place);
    const unix = join(place, "socket");
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${join(place, name)};`)
      .join(" ");
    site.write(
      ".nginx/nginx.conf",
      `daemon off; master_process off; pid ${place}/pid; error_log ${place}/log;
events {} http { access_log off; etag on; if_modified_since before; ${paths}
server { listen unix:${unix}; root ${site.folder}; } }`,
    );
    const words = ["nginx", "-p", place, "-c", join(place, "nginx.conf")];
    const nginx = Bun.spawn(words, { stdout: "ignore", stderr: "ignore", detached: true });
    const ask = (of: { unix?: string; port?: number }, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${of.port ?? 80}/a.txt`, {
        headers,
        ...(of.unix === undefined ? {} : { unix: of.unix }),
      });
    try {
      await eventually(
        "nginx listens",
        async () => (await ask({ unix }).catch(() => undefined))?.ok === true,
      );
      const answers = async (of: { unix?: string; port?: number }): Promise<unknown[]> => {
        const tag = (await ask(of)).headers.get("etag")!;
        const all: unknown[] = [];
        for (const its of requests) {
          const fields = Object.entries(its).map(([name, value]) => [
            name,
            value.replace("$", tag),
          ]);
          const headers = Object.fromEntries(fields) as Record<string, string>;
          const response = await ask(of, headers);
          const body = response.status < 300 ? await response.text() : "";
          const range = response.headers.get("content-range");
          all.push({ its, status: response.status, range, body });
        }
        return all;
      };
      const [ours, theirs] = [await answers({ port: site.port }), await answers({ unix })];
      expect(ours).toEqual(theirs);
    } finally {
      nginx.kill("SIGKILL");
      await nginx.exited;
    }
  }, 30_000);
});

/** The command on the page of a service that is down, which somebody copies into a terminal. */
import { expect, test } from "bun:test";
import { absentPage } from "../../src/proxy/pages/supervised-page.ts";
import { testSupervised } from "../support/test-proxy.ts";

function pageOf(directory: string): string {
  const supervised = testSupervised({ state: "stopped", pid: undefined, directory });
  const { body } = absentPage({
    supervised,
    absence: { kind: "down" },
    lines: [],
    wants: "html",
    details: true,
  });
  return body
    .toString()
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}

test("its folder is one word, whatever is in its name", () => {
  expect(pageOf("/srv/shop")).toContain("<pre>localhostess up /srv/shop api</pre>");
  expect(pageOf("/srv/it's $(x)")).toContain("<pre>localhostess up '/srv/it'\\''s $(x)' api</pre>");
  expect(pageOf("/srv/a\nb\x1b")).toContain("<pre>localhostess up $'/srv/a\\012b\\033' api</pre>");
});

/** A request that has waited in vain for a service -> what it is told that it waited for. */
import { expect, test } from "bun:test";
import { absentPage } from "../../src/proxy/pages/supervised-page.ts";
import type { SupervisedState } from "../../src/routes/supervised.ts";
import { testSupervised } from "../support/test-proxy.ts";

function told(state: SupervisedState, details: boolean): string {
  const { body } = absentPage({
    supervised: testSupervised({ state, port: 4000 }),
    absence: { kind: "waited", seconds: 30 },
    lines: [],
    wants: "text",
    details,
  });
  return body.toString();
}

test("one that starts was not ready", () => {
  expect(told("starting", true)).toContain("is starting; it was not ready within 30 s, try again");
});

test.each(["ready", "unready"] as const)(
  "one that is %s has nothing that listens, or another user has its port",
  (state) => {
    const text = "; none of its processes has listened on its port 4000 for 30 s, try again";
    expect(told(state, true)).toContain(text);
    expect(told(state, false)).toContain(text.replace(" 4000", ""));
  },
);

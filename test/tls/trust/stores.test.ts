/** All stores together. */
import { expect, test } from "bun:test";
import type { Certificate, Outcome, TrustStore } from "../../../src/tls/trust/store.ts";
import { removeFromAll } from "../../../src/tls/trust/stores.ts";

const certificate: Certificate = { pem: "", path: "/x.pem" };

function storeThat(name: string, outcome: Outcome): TrustStore {
  return {
    name,
    check: async () => ({ kind: "absent" }),
    install: async () => outcome,
    remove: async () => outcome,
  };
}

test("one that fails does not stop the others, and then the certificate is not forgotten", async () => {
  const good: Outcome = { kind: "done" };
  const outcomes: Outcome[] = [
    { kind: "failed", why: "w", fix: "f" },
    { kind: "needs you", why: "w", fix: "f" },
  ];
  for (const bad of outcomes) {
    const stores = [storeThat("a", good), storeThat("b", bad), storeThat("c", { kind: "already" })];
    const told: string[] = [];
    const gone = await removeFromAll(stores, {
      certificate,
      report: (store, { kind }) => void told.push(`${store.name} ${kind}`),
    });
    expect(gone).toBeFalse();
    expect(told).toEqual(["a done", `b ${bad.kind}`, "c already"]);
  }
  expect(await removeFromAll([storeThat("a", good)], { certificate, report: () => {} })).toBeTrue();
});

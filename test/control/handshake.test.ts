/** The handshake: who has the credential is told who we are, and nobody else is told anything. */
import { describe, expect, test } from "bun:test";
import { handshake } from "../../src/control/found/handshake.ts";
import {
  clientProof,
  daemonProof,
  newNonce,
  proofField,
  sameSecret,
} from "../../src/control/found/proof.ts";
import type { Registration } from "../../src/control/found/protocol.ts";

const credential = "ab".repeat(32);
const authority = "127.0.0.1:49152";
const facts: Registration = {
  id: "one",
  version: "0.1.0",
  url: `http://${authority}`,
  pid: 4242,
  protocol: "localhostess/2",
  startedAt: 1,
  socket: "/run/daemon.sock",
  port: 9090,
  tlds: [],
};
const ask = (field: string | null): unknown => handshake(field, { credential, facts, authority });

test("the credential itself is answered with the facts", () => {
  expect(ask(`Bearer ${credential}`)).toEqual(facts);
  expect(ask(`bearer ${credential}`)).toEqual(facts);
});

test("a proof of it is answered with a proof of ours, over what it says of itself", () => {
  const nonce = newNonce();
  expect(ask(proofField(credential, { nonce, authority }))).toEqual({
    ...facts,
    proof: daemonProof(credential, { nonce, ...facts }),
  });
});

describe("nothing is told for", () => {
  const nonce = newNonce();
  const right = proofField(credential, { nonce, authority });
  const refused: [string, string | null][] = [
    ["nothing", null],
    ["an empty field", ""],
    ["a wrong credential", `Bearer ${"cd".repeat(32)}`],
    ["half of it", `Bearer ${credential.slice(0, 32)}`],
    ["more than it", `Bearer ${credential}0`],
    ["it in another scheme", `Basic ${credential}`],
    ["it without a scheme", credential],
    ["an empty one", "Bearer "],
    ["a proof by another credential", proofField("cd".repeat(32), { nonce, authority })],
    ["a proof for another port", proofField(credential, { nonce, authority: "127.0.0.1:1" })],
    ["a proof with another nonce", right.replace(nonce, newNonce())],
    ["a proof without a nonce", `Proof .${clientProof(credential, { nonce: "", authority })}`],
    [
      "the daemon's own proof sent back",
      `Proof ${nonce}.${daemonProof(credential, { nonce, ...facts })}`,
    ],
    ["a proof with something behind it", `${right}0`],
  ];
  for (const [what, field] of refused) {
    test(what, () => expect(ask(field)).toBeUndefined());
  }
});

test("what the daemon proves is bound to its id, pid and protocol", () => {
  const claim = { nonce: newNonce(), id: "one", pid: 1, protocol: "localhostess/2" };
  const others = [{ id: "two" }, { pid: 2 }, { protocol: "localhostess/3" }, { nonce: newNonce() }];
  const proof = daemonProof(credential, claim);
  for (const other of others) {
    expect(daemonProof(credential, { ...claim, ...other })).not.toBe(proof);
  }
});

test("texts are the same only where all of them is", () => {
  expect(sameSecret("abc", "abc")).toBe(true);
  for (const other of ["", "ab", "abd", "abcd", "ABC"])
    expect(sameSecret(other, "abc")).toBe(false);
});

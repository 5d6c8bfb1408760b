import { describe, expect, test } from "bun:test";
import { encode } from "../../src/wire/bytes.ts";
import { Login, loginStep, offersBoundLogin } from "../../src/wire/login.ts";

describe("Authorization", () => {
  test.each([
    ["NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAA", Login.first],
    ["ntlm  TlRMTVNTUAABAAAAB4IIogAAAAAAAAAA", Login.first],
    ["Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa+g", Login.first],
    ["NTLM TlRMTVNTUAADAAAAGAAYAHIAAAA=", Login.later],
    ["Negotiate oYIBbTCCAWmgAwoBAaE=", Login.later],
    ["NTLM TYPE1", Login.later],
    ["Negotiate", Login.later],
    ["nEGOTIATE\tx", Login.later],
    ["Nego2 x", Login.later],
    ["Kerberos x", Login.later],
    ["CredSSP x", Login.later],
    ["Basic YWxpY2U6c2VjcmV0", Login.none],
    ["Bearer NTLM", Login.none],
    ["NTLMv2 x", Login.none],
    ["Negotiat", Login.none],
    ["", Login.none],
  ])("%s: %p", (value, step) => {
    const bytes = encode(`[${value}]`);
    expect(loginStep(bytes, 1, bytes.length - 1)).toBe(step);
  });
});

describe("WWW-Authenticate", () => {
  test.each([
    "NTLM",
    "ntlm",
    "Negotiate, NTLM",
    'Basic realm="here", NTLM',
    'Basic realm="here",Negotiate',
    "Negotiate oYIBbTCCAWmgAwoBAaE=",
    // Readers differ about quotes that are not closed.
    'Basic realm="here, NTLM',
  ])("%s offers a login that is bound to its connection", (value) => {
    const bytes = encode(`[${value}]`);
    expect(offersBoundLogin(bytes, 1, bytes.length - 1)).toBe(true);
  });

  test.each(['Basic realm="here"', 'Digest realm="a", nonce="b"', "Bearer", "NTLMv2", ""])(
    "%s does not",
    (value) => {
      const bytes = encode(`[${value}]`);
      expect(offersBoundLogin(bytes, 1, bytes.length - 1)).toBe(false);
    },
  );
});

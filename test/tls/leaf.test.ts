import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { DAY, signLeaf } from "../../src/tls/certificate.ts";
import { mintLeaf } from "../../src/tls/leaf.ts";
import { FakeClock } from "../support/fake-clock.ts";
import {
  chainVerdict,
  throwawayCertificateAuthority,
} from "../support/throwaway-certificate-authority.ts";
import { describeWith } from "../support/with-programs.ts";

const now = Date.UTC(2026, 4, 1, 12);

test("a leaf is for its name and one level under it, for 90 days from a day ago", async () => {
  await using throwaway = await throwawayCertificateAuthority({ clock: new FakeClock(now) });
  const leaf = await throwaway.leafFor("api.localhost");
  const certificate = new X509Certificate(leaf.certificate);
  expect(certificate.subjectAltName).toBe("DNS:api.localhost, DNS:*.api.localhost");
  expect(certificate.validFromDate.getTime()).toBe(now - DAY);
  expect(certificate.validToDate.getTime()).toBe(now + 90 * DAY);
  expect(leaf.expiresAt).toBe(now + 90 * DAY);
  expect(leaf.renewAt).toBe(now + 60 * DAY);
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
});

describeWith(["openssl"])("OpenSSL", () => {
  test("shows the uses and the key identifiers", async () => {
    await using throwaway = await throwawayCertificateAuthority();
    const { certificate } = await throwaway.leafFor("api.localhost");
    const text = await openssl(["x509", "-noout", "-text"], certificate);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Extended Key Usage: \s+TLS Web Server Authentication\n/);
    const own = (await openssl(["x509", "-noout", "-text"], throwaway.ca.pem)).match(
      /Subject Key Identifier: \s+([0-9A-F:]+)/,
    )![1]!;
    expect(text).toMatch(new RegExp(`Authority Key Identifier: \\s+${own}\\n`));
    expect(text).toMatch(/Subject Key Identifier: \s+[0-9A-F:]{59}\n/);
  });
});

test("serial numbers are 128 random bits", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const serials = new Set<string>();
  for (let i = 0; i < 8; i++) {
    const leaf = await throwaway.leafFor("api.localhost");
    serials.add(new X509Certificate(leaf.certificate).serialNumber);
  }
  expect(serials.size).toBe(8);
  // A leading zero octet is not written: one in 256 is shorter, and eight of those do not happen.
  expect([...serials].some((serial) => serial.length === 32)).toBe(true);
});

test("a client that names no server gets the loopback addresses too, one that says localhost does not", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const names = async (serverName: string | undefined): Promise<string | undefined> =>
    new X509Certificate((await throwaway.leafFor(serverName)).certificate).subjectAltName;
  expect(await names(undefined)).toBe(
    "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
  );
  expect(await names("localhost")).toBe("DNS:localhost");
});

test("the longest name there can be gets a leaf", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const label = "a".repeat(63);
  const name = `${label}.${label}.${label}.${"a".repeat(253 - 3 * 64 - 10)}.localhost`;
  expect(name.length).toBe(253);
  const leaf = await throwaway.leafFor(name);
  expect(new X509Certificate(leaf.certificate).checkHost(name)).toBe(name);
});

test("bare names get a leaf from the authority that is for them, without a star", async () => {
  await using throwaway = await throwawayCertificateAuthority({ kind: "bare" });
  const leaf = await throwaway.leafFor("api");
  expect(new X509Certificate(leaf.certificate).subjectAltName).toBe("DNS:api");
});

test("no leaf outlives its authority", async () => {
  const clock = new FakeClock(now);
  await using throwaway = await throwawayCertificateAuthority({ clock });
  clock.advance(3640 * DAY);
  const leaf = await throwaway.leafFor("api.localhost");
  expect(leaf.expiresAt).toBe(throwaway.ca.expiresAt);
  expect(leaf.renewAt).toBeLessThan(leaf.expiresAt);
});

test("pkijs refuses what is outside the constraints, so its consent means something", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const at = Date.now();
  const leaf = await signLeaf(throwaway.ca, {
    dns: ["example.com"],
    addresses: [],
    validity: { from: at - DAY, to: at + DAY },
  });
  const verdict = await chainVerdict(leaf.certificate, { ca: throwaway.ca, now: at });
  expect(verdict).not.toBe("good");
});

test("pkijs refuses the leaf of another authority of the same name", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  await using other = await throwawayCertificateAuthority();
  const leaf = await other.leafFor("api.localhost");
  const about = { ca: throwaway.ca, now: Date.now() };
  expect(await chainVerdict(leaf.certificate, about)).not.toBe("good");
});

test("minting takes less than 10 ms of a processor", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const taken: number[] = [];
  for (let i = 0; i < 41; i++) {
    const start = process.cpuUsage();
    await mintLeaf(
      { name: `n${i}.localhost`, signer: "names", addresses: false },
      { signer: throwaway.ca, clock: throwaway.options.clock },
    );
    const { user, system } = process.cpuUsage(start);
    taken.push((user + system) / 1_000);
  }
  // Other threads of this process may be at work, but not at every one of them.
  expect(Math.min(...taken)).toBeLessThan(10);
});

async function openssl(args: string[], input: string): Promise<string> {
  const child = Bun.spawn(["openssl", ...args], { stdin: Buffer.from(input), stdout: "pipe" });
  return await new Response(child.stdout).text();
}

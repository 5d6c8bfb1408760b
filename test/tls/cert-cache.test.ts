import { expect, test } from "bun:test";
import { CertCache, type Lifetime } from "../../src/tls/cert-cache.ts";
import { DAY } from "../../src/tls/certificate.ts";
import { mintLeaf } from "../../src/tls/leaf.ts";
import { type Ours, type Subject, subjectOf } from "../../src/tls/server-name.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";

type Certificate = Lifetime & { name: string; serial: number };

const ours: Ours = { tlds: [], bareNames: false, isService: () => false };

function subject(serverName: string | undefined): Subject {
  return subjectOf(serverName, ours)!;
}

function setUp({ capacity = 4 } = {}) {
  const clock = new FakeClock();
  const minted: string[] = [];
  const failures: unknown[] = [];
  const world = {
    clock,
    minted,
    failures,
    /** What becomes of the next mint. */
    mint: async ({ name }: Subject): Promise<Certificate> => {
      minted.push(name);
      const now = clock.now();
      return { name, serial: minted.length, renewAt: now + 60 * DAY, expiresAt: now + 90 * DAY };
    },
  };
  const cache = new CertCache<Certificate>({
    clock,
    capacity,
    mint: (subject) => world.mint(subject),
    onRenewalFailed: (_, error) => failures.push(error),
  });
  return Object.assign(world, { cache });
}

test("a cached certificate comes without a promise", async () => {
  const { cache, minted } = setUp();
  const first = cache.certificateFor(subject("api.localhost"));
  expect(first).toBeInstanceOf(Promise);
  const certificate = await first!;
  expect(cache.certificateFor(subject("api.localhost"))).toBe(certificate);
  expect(cache.certificateFor(subject("API.localhost."))).toBe(certificate);
  expect(minted).toEqual(["api.localhost"]);
});

test("however many wait for a name, it is minted once", async () => {
  const { cache, minted } = setUp();
  const names = ["a.localhost", "b.localhost", undefined];
  const all = await Promise.all(
    Array.from({ length: 90 }, (_, i) => cache.certificateFor(subject(names[i % 3]))),
  );
  expect(minted.sort()).toEqual(["", "a.localhost", "b.localhost"]);
  expect(new Set(all).size).toBe(3);
});

test("the least recently used goes when there are too many", async () => {
  const { cache, minted } = setUp({ capacity: 2 });
  await cache.certificateFor(subject("a.localhost"));
  await cache.certificateFor(subject("b.localhost"));
  cache.certificateFor(subject("a.localhost"));
  await cache.certificateFor(subject("c.localhost"));
  expect(cache.size).toBe(2);
  expect(cache.certificateFor(subject("a.localhost"))).not.toBeInstanceOf(Promise);
  await cache.certificateFor(subject("b.localhost"));
  expect(minted).toEqual(["a.localhost", "b.localhost", "c.localhost", "b.localhost"]);
});

test("it is renewed at two thirds of its life, and nobody waits for that", async () => {
  const { cache, clock, minted } = setUp();
  const old = await cache.certificateFor(subject("api.localhost"));
  clock.advance(60 * DAY - 1);
  expect(cache.certificateFor(subject("api.localhost"))).toBe(old);
  expect(minted.length).toBe(1);
  clock.advance(1);
  expect(cache.certificateFor(subject("api.localhost"))).toBe(old);
  expect(cache.certificateFor(subject("api.localhost"))).toBe(old);
  await settled();
  expect(minted.length).toBe(2);
  expect(cache.certificateFor(subject("api.localhost"))).toMatchObject({ serial: 2 });
});

test("an expired one is not given out", async () => {
  const { cache, clock } = setUp();
  await cache.certificateFor(subject("api.localhost"));
  clock.advance(90 * DAY);
  const next = cache.certificateFor(subject("api.localhost"));
  expect(next).toBeInstanceOf(Promise);
  expect(await next!).toMatchObject({ serial: 2 });
  expect(cache.size).toBe(1);
});

test("a failed renewal is told, the old certificate goes on, and the next who asks causes another try", async () => {
  const world = setUp();
  const { cache, clock, failures } = world;
  const old = await cache.certificateFor(subject("api.localhost"));
  const { mint } = world;
  clock.advance(61 * DAY);
  world.mint = async () => {
    throw new Error("no entropy");
  };
  expect(cache.certificateFor(subject("api.localhost"))).toBe(old);
  await settled();
  expect(failures).toEqual([new Error("no entropy")]);
  world.mint = mint;
  expect(cache.certificateFor(subject("api.localhost"))).toBe(old);
  await settled();
  expect(cache.certificateFor(subject("api.localhost"))).toMatchObject({ serial: 2 });
});

test("a failed mint fails for all who wait, and is not remembered", async () => {
  const world = setUp();
  const { cache } = world;
  const { mint } = world;
  world.mint = () => {
    throw new Error("no entropy");
  };
  const waiting = [
    cache.certificateFor(subject("a.localhost")),
    cache.certificateFor(subject("a.localhost")),
  ];
  for (const one of waiting)
    await expect(one as Promise<Certificate>).rejects.toThrow("no entropy");
  await Promise.allSettled(waiting);
  world.mint = mint;
  expect(await cache.certificateFor(subject("a.localhost"))).toMatchObject({ name: "a.localhost" });
});

test("what was being minted while the cache was cleared is not kept", async () => {
  const { cache, minted } = setUp();
  const before = cache.certificateFor(subject("a.localhost"));
  cache.clear();
  expect(await before!).toMatchObject({ serial: 1 });
  expect(cache.size).toBe(0);
  await cache.certificateFor(subject("a.localhost"));
  expect(minted.length).toBe(2);
});

test("three hundred names at once, with real keys: each is right, and 256 are kept", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const { clock } = throwaway.options;
  const cache = new CertCache({
    clock,
    mint: (subject) => mintLeaf(subject, { signer: throwaway.ca, clock }),
    onRenewalFailed: (_, error) => {
      throw error;
    },
  });
  const all = await Promise.all(
    Array.from({ length: 300 }, (_, i) => cache.certificateFor(subject(`n${i}.localhost`))),
  );
  expect(new Set(all.map((leaf) => leaf.certificate)).size).toBe(300);
  expect(cache.size).toBe(256);
});

/** All that can go on without a timer or a socket has gone on. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

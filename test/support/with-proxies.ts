/**
 * Values into work done on each, some at a time, each time with a proxy and an upstream that nobody else uses
 * meanwhile.
 */
import { RawServer, type Script } from "./raw-server.ts";
import { startTestProxy, type TestProxy } from "./test-proxy.ts";

const atOnce = 32;

/** The upstream stands as `api`. What it was sent that is not well-formed is in its `faults`, for the test to judge. */
export async function withProxies<T>(
  values: Iterable<T>,
  script: Script,
  work: (value: T, proxy: TestProxy, upstream: RawServer) => Promise<void>,
): Promise<void> {
  const items = values[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const upstream = new RawServer({ answer: script });
      const proxy = await startTestProxy({ services: { api: upstream } });
      try {
        for (let item = items.next(); !item.done; item = items.next()) {
          await work(item.value, proxy, upstream);
        }
      } finally {
        upstream.stop();
        await proxy.stop();
      }
    }),
  );
}

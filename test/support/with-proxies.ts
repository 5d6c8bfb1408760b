/** Values into work done on each, some at a time, each time with a proxy and an upstream that nobody else uses meanwhile. */
import { type Script, scriptedUpstream, type ScriptedUpstream } from "./scripted-upstream.ts";
import { startTestProxy, type TestProxy } from "./test-proxy.ts";

const atOnce = 32;

/** The upstream stands as `api`. */
export async function withProxies<T>(
  values: Iterable<T>,
  script: Script,
  work: (value: T, proxy: TestProxy, upstream: ScriptedUpstream) => Promise<void>,
): Promise<void> {
  const items = values[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const upstream = scriptedUpstream(script);
      const proxy = await startTestProxy({ services: { api: { port: upstream.port } } });
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

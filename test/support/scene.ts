/** A script into a whole scene: a clock that a test moves, a server behind a proxy as `api`, and a client before it. */
import { FakeClock } from "./fake-clock.ts";
import { connectRaw, type RawEnd } from "./raw-end.ts";
import { RawServer, type RawServerOptions } from "./raw-server.ts";
import { startTestProxy, type TestProxy, type TestProxyOptions } from "./test-proxy.ts";

/** `answer`, `address`: the server's; without a script the test takes its connections and answers for itself. */
export type SceneOptions = Omit<TestProxyOptions, "clock"> &
  Pick<RawServerOptions, "answer" | "address">;

export interface Scene extends AsyncDisposable {
  /** The proxy's: nothing is too late before the test says so. */
  readonly clock: FakeClock;
  /** At `api.localhost`. */
  readonly api: RawServer;
  readonly proxy: TestProxy;
  readonly client: RawEnd;
  /** Another client. */
  connect(): Promise<RawEnd>;
}

/** Everything in it ends with it: the clients, the proxy, the server. @throws the proxy's and the server's faults. */
export async function scene({
  answer,
  address,
  services,
  ...options
}: SceneOptions = {}): Promise<Scene> {
  await using made = new AsyncDisposableStack();
  const clock = new FakeClock();
  const api = made.use(new RawServer({ ...(answer && { answer }), ...(address && { address }) }));
  const all = { api, ...services };
  const proxy = made.use(await startTestProxy({ ...options, services: all, clock }));
  const connect = async (): Promise<RawEnd> => ending.use(await connectRaw(proxy.port));
  const client = made.use(await connectRaw(proxy.port));
  const ending = made.move();
  return {
    clock,
    api,
    proxy,
    client,
    connect,
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** Names and ports into a proxy in a process of its own, whose memory can be told from the test's. */
import { readFileSync, writeFileSync } from "node:fs";
import { startTestProxy } from "./test-proxy.ts";

export interface ProxyProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Bytes of memory it holds now. */
  memory(): number;
  /** The most it ever held since `forgetPeak`. */
  peak(): number;
  forgetPeak(): void;
}

export async function startProxyProcess(services: Record<string, number>): Promise<ProxyProcess> {
  // Detached: the test runner ends children that it takes for left over.
  const child = Bun.spawn([process.execPath, import.meta.path, JSON.stringify(services)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  });
  const { value } = await child.stdout.getReader().read();
  const field = (name: string): number => {
    const status = readFileSync(`/proc/${child.pid}/status`, "latin1");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1_024;
  };
  return {
    port: Number(new TextDecoder().decode(value)),
    pid: child.pid,
    memory: () => field("VmRSS"),
    peak: () => field("VmHWM"),
    // proc(5): 5 resets the peak to what is held now.
    forgetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, "5"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

if (import.meta.main) {
  const services = JSON.parse(process.argv[2]!) as Record<string, number>;
  const proxy = await startTestProxy({
    services: Object.fromEntries(Object.entries(services).map(([name, port]) => [name, { port }])),
  });
  console.log(proxy.port);
  // Whoever started it holds the other end: without them there is nobody to serve.
  for await (const _ of Bun.stdin.stream());
  process.exit(0);
}

/** Names and ports into a proxy in a process of its own, whose memory can be told from the test's. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import { certificates } from "../../src/tls/certificates.ts";
import { type Terminator, terminator } from "../../src/tls/terminate.ts";
import { startTestProxy } from "./test-proxy.ts";
import { identity, throwawayStateDirectory } from "./throwaway-certificate-authority.ts";

export interface ProxyProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** PEM of its authority; empty where it does not speak TLS. */
  readonly ca: string;
  /** Bytes of memory it holds now. */
  memory(): number;
  /** The most it ever held since `forgetPeak`. */
  peak(): number;
  forgetPeak(): void;
}

/** What it is asked for, on its command line. `secure`: undefined where it is not to speak TLS. */
type Asked = {
  services: Record<string, number>;
  secure: { stateDirectory: string } | undefined;
};

export async function startProxyProcess(
  services: Record<string, number>,
  { tls = false }: { tls?: boolean } = {},
): Promise<ProxyProcess> {
  const directory = tls ? await throwawayStateDirectory() : undefined;
  const secure = directory && { stateDirectory: directory.path };
  const asked: Asked = { services, secure };
  // Detached: the test runner ends children that it takes for left over.
  const child = Bun.spawn([process.execPath, import.meta.path, JSON.stringify(asked)], {
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
    ca: directory ? readFileSync(join(directory.path, "authority/certificate.pem"), "utf8") : "",
    memory: () => field("VmRSS"),
    peak: () => field("VmHWM"),
    // proc(5): 5 resets the peak to what is held now.
    forgetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, "5"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await directory?.[Symbol.asyncDispose]();
    },
  };
}

if (import.meta.main) {
  const { services, secure } = JSON.parse(process.argv[2]!) as Asked;
  const proxy = await startTestProxy({
    clock: systemClock,
    services: Object.fromEntries(Object.entries(services).map(([name, port]) => [name, { port }])),
    terminator: secure && (await terminatorFor(secure)),
  });
  console.log(proxy.port);
  // Whoever started it holds the other end: without them there is nobody to serve.
  for await (const _ of Bun.stdin.stream());
  process.exit(0);
}

async function terminatorFor(secure: NonNullable<Asked["secure"]>): Promise<Terminator> {
  const fault = (why: unknown): never => {
    throw why;
  };
  const { certificateFor } = certificates({
    ...secure,
    identity,
    clock: systemClock,
    tlds: [],
    isService: () => false,
    note: fault,
  });
  // So that there is an authority before anybody asks for its certificate.
  await certificateFor("localhost");
  return terminator({ clock: systemClock, certificateFor, fault });
}

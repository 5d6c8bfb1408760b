/** A port number -> where to listen on it, and whether it is free. */
import type { Vacancy } from "../control/found/claim-port.ts";

/** On macOS anybody may have these ports, but on the wildcard address only. */
export function onWildcard(port: number): boolean {
  return process.platform === "darwin" && process.getuid?.() !== 0 && port > 0 && port < 1024;
}

/** Listens for a moment, as the proxy will. */
export function vacancy(port: number): Vacancy {
  if (port === 0) return "free";
  try {
    const hostname = onWildcard(port) ? "0.0.0.0" : "127.0.0.1";
    Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
    return "free";
  } catch (error) {
    return (error as { code?: unknown }).code === "EADDRINUSE" ? "taken" : "never";
  }
}

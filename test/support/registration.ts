/** The record of a daemon that was never started, for tests of those who read it. */
import { protocol, type Registration } from "../../src/control/found/protocol.ts";

export function registrationOf(its: Partial<Registration> & { id: string }): Registration {
  return {
    version: "0.1.0",
    url: "http://127.0.0.1:49152",
    pid: 17,
    protocol,
    startedAt: 0,
    socket: "/run/daemon.sock",
    port: 9090,
    tlds: [],
    ...its,
  };
}

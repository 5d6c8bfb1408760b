/** What every proxy under test is to the measures: a name, a port, a pid; or the reason why it is not there. */
import type { Crew } from "./crew.ts";

export type Backend = { port: number; name: string; host: string };

/** `securePort`: where it speaks TLS, if it does. */
export type Peer = { name: string; port: number; securePort?: number; pid: number };

export type Absent = { name: string; absent: string };

export type StartPeer = (crew: Crew, backend: Backend) => Promise<Peer | Absent>;

export function missing(name: string, debianPackage: string): Absent {
  return { name, absent: `not installed; apt-get install ${debianPackage}` };
}

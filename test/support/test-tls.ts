/**
 * Names into TLS as the daemon ends it: an authority of its own, certificates for what is asked, and the terminator.
 */
import { join } from "node:path";
import type { Clock } from "../../src/system/clock.ts";
import { type Certificates, certificates } from "../../src/tls/certificates.ts";
import { type Terminator, terminator } from "../../src/tls/terminate.ts";
import { steadyClock } from "./steady-clock.ts";
import { identity, throwawayStateDirectory } from "./throwaway-certificate-authority.ts";

export type CertificateFor = Certificates["certificateFor"];

export interface TestTls extends AsyncDisposable {
  readonly stateDirectory: string;
  readonly names: Certificates;
  /** PEM of the authority for names. */
  readonly ca: string;
  readonly terminator: Terminator;
}

export type TestTlsOptions = { services?: readonly string[]; note?: (text: string) => void };

/** A terminator whose faults are the test's, and whose limits no busy machine shortens. */
export function testTerminator(
  certificateFor: CertificateFor,
  { clock = steadyClock() }: { clock?: Clock } = {},
): Terminator {
  return terminator({
    clock,
    certificateFor,
    fault: (fault) => {
      throw fault;
    },
  });
}

/**
 * `services`: certificates go to names below theirs too. `note`: what is told a person; a fault of ours unless it is
 * given.
 */
export async function testTls({
  services = [],
  note = (text) => {
    throw new Error(text);
  },
}: TestTlsOptions = {}): Promise<TestTls> {
  const directory = await throwawayStateDirectory();
  const names = certificates({
    stateDirectory: directory.path,
    clock: steadyClock(),
    identity,
    tlds: [],
    isService: (name) => services.includes(name),
    note,
  });
  // There has to be an authority before anybody asks for its certificate.
  await names.certificateFor("localhost");
  return {
    stateDirectory: directory.path,
    names,
    ca: await Bun.file(join(directory.path, "authority/certificate.pem")).text(),
    terminator: testTerminator(names.certificateFor),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

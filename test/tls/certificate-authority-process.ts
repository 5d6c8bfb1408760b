/**
 * A process that needs an authority: prints its fingerprint. Started ten times at once by
 * `certificate-authority.test.ts`.
 */
import { systemClock } from "../../src/system/clock.ts";
import { ensureCertificateAuthority } from "../../src/tls/certificate-authority.ts";
import { identity } from "../support/throwaway-certificate-authority.ts";

const [stateDirectory] = process.argv.slice(2);
// All go on when the test closes their input, so that none has made it before the others look.
console.log("waiting");
await Bun.stdin.text();
const made = await ensureCertificateAuthority({
  stateDirectory: stateDirectory!,
  kind: "names",
  tlds: [],
  clock: systemClock,
  identity,
});
console.log(made.kind === "ready" ? made.ca.fingerprint : made.problems.join("\n"));

/** A process that needs an authority: prints its fingerprint. Started ten times at once by `authority.test.ts`. */
import { systemClock } from "../../src/system/clock.ts";
import { ensureAuthority } from "../../src/tls/authority.ts";
import { identity } from "../support/throwaway-authority.ts";

const [stateDirectory] = process.argv.slice(2);
// All go on when the test closes their input, so that none has made it before the others look.
console.log("waiting");
await Bun.stdin.text();
const made = await ensureAuthority({
  stateDirectory: stateDirectory!,
  kind: "names",
  tlds: [],
  clock: systemClock,
  identity,
});
console.log(made.kind === "ready" ? made.authority.fingerprint : made.problems.join("\n"));

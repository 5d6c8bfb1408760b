/**
 * Every package by npm pack, installed by npm, pnpm, yarn and bun, with and without scripts, each in an empty prefix
 * and an empty home; each program then has its first minute. By hand: `bun test/soak/packages.ts`. About two minutes.
 */
import { version } from "../../package.json" with { type: "json" };
import { installers, packaged } from "../support/packaged.ts";
import { walkInstalled } from "../support/walk-installed.ts";

let code = 0;
const its = await packaged({ quick: false });
try {
  for (const installer of installers) {
    for (const scripts of [true, false]) {
      const title = `${installer} ${scripts ? "with" : "without"} scripts`;
      try {
        await walkInstalled(await its.install(installer, { scripts }), { ...its, version });
        console.log(`${title}: works`);
      } catch (error) {
        code = 1;
        console.log(`${title}: ${(error as Error).message}`);
      }
    }
  }
  console.log(`asked for besides: ${(await its.registry()).others.join(", ") || "nothing"}`);
} finally {
  await its[Symbol.asyncDispose]();
}
process.exit(code);

/**
 * Walks of a played project in virtual time. By hand: `bun test/soak/project.ts [seconds] [seed]`. Exits 1 with the
 * seed of the first walk in which anything went wrong.
 */
import { projectWalk } from "../support/project-walk.ts";
import { freshSeed, Random } from "../support/random.ts";

const seconds = Number(process.argv[2] ?? 60);
let seed = Number(process.argv[3] ?? freshSeed());
const end = performance.now() + seconds * 1000;
let walks = 0;
while (performance.now() < end) {
  const wrong = await projectWalk({ steps: 400, random: new Random(seed) });
  if (wrong.length > 0) {
    console.error(wrong.join("\n"));
    console.error(`bun test/soak/project.ts 0.001 ${seed}`);
    process.exit(1);
  }
  walks++;
  seed = (seed + 1) >>> 0;
}
console.log({ walks });

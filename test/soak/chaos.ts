/**
 * Two minutes in which services and the daemon are killed, the file is edited and broken, and four clients
 * contradict one another. By hand: `bun test/soak/chaos.ts [seconds] [seed]`. Exits 1 where anything is not as
 * it should be at
 * the end.
 */
import { chaos } from "../support/chaos.ts";
import { freshSeed, Random } from "../support/random.ts";

const seconds = Number(process.argv[2] ?? 120);
const seed = Number(process.argv[3] ?? freshSeed());
console.log(`bun test/soak/chaos.ts ${seconds} ${seed}`);
const { done, wrong } = await chaos({ seconds, random: new Random(seed) });
console.log(done);
for (const sentence of wrong) console.error(sentence);
process.exit(wrong.length === 0 ? 0 : 1);

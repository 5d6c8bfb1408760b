/**
 * A minute in which a web service and the three migrations before it are edited, restarted and killed. By hand:
 * `bun test/soak/tasks.ts [seconds] [seed]`. Exits 1 where the service was started too early, or was left down.
 */
import { freshSeed, Random } from "../support/random.ts";
import { taskWalk } from "../support/task-walk.ts";

const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? freshSeed());
console.log(`bun test/soak/tasks.ts ${seconds} ${seed}`);
const { done, starts, wrong } = await taskWalk({ seconds, slow: 3, random: new Random(seed) });
console.log(done, { starts });
for (const sentence of wrong) console.error(sentence);
process.exit(wrong.length === 0 ? 0 : 1);

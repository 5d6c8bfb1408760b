/**
 * `bun test/soak/whole-project.ts [rounds] [seed]` -> the daemon of a project of eight killed at 20 random moments of
 * `up`; ends with 1 where the next `up` was not whole.
 */
import { killedDuringUp } from "../support/killed-during-up.ts";
import { Random } from "../support/random.ts";
import { wholeProject } from "../support/whole-project.ts";

const rounds = Number(process.argv[2] ?? 20);
const random = new Random(Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32)));
const project = await wholeProject();
let wrong: string[];
try {
  wrong = await killedDuringUp(project, { rounds, random, say: (text) => console.log(text) });
} finally {
  await project[Symbol.asyncDispose]();
}
console.log(`seed ${random.seed}: ${rounds} kills, ${wrong.length} failures`);
for (const what of wrong) console.log(what);
process.exit(wrong.length === 0 ? 0 : 1);

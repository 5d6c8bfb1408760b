/**
 * `bun test/soak/killed.ts [rounds]` -> the daemon killed at 50 random moments while clients work; ends with 1
 * where a command failed.
 */
import { killRounds } from "../support/kill-rounds.ts";

const rounds = Number(process.argv[2] ?? 50);
const { commands, failures } = await killRounds(rounds);
console.log(`${rounds} kills, ${commands} commands beside them, ${failures.length} failures`);
for (const failure of failures) console.log(failure);
process.exit(failures.length === 0 ? 0 : 1);

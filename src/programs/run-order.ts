/** An order of the supervisor, in the environment -> the program of a managed service, in this process. */
import { type Order, orderVariable, unavailable } from "../manifest/order.ts";
import { notifySupervisor } from "../system/notify-supervisor.ts";
import { runPostgres } from "./run-postgres.ts";
import { runStore } from "./run-store.ts";
import type { Running } from "./running.ts";

/** Characters of a reason, of which the supervisor shows fewer. */
const mostTold = 1000;

/** Resolves with an exit code, unless another program takes the place of this one. */
export async function runOrder(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { [orderVariable]: text, ...rest } = environment;
  if (text === undefined) {
    process.stderr.write("this command is the daemon's own: it runs a managed service\n");
    return 2;
  }
  const order = JSON.parse(text) as Order;
  const env = Object.fromEntries(
    Object.entries(rest).filter((its): its is [string, string] => its[1] !== undefined),
  );
  const notify = notifySupervisor(env.NOTIFY_SOCKET);
  const running: Running = {
    order,
    env,
    notify,
    say: (line) => void process.stdout.write(`${line}\n`),
    cannot(why, { passing } = { passing: false }) {
      // A datagram that is too long would not be heard at all.
      notify(`${passing ? "X_FAILED" : "X_CANNOT"}=${why.slice(0, mostTold)}`);
      process.stderr.write(`${why}\n`);
      process.exit(unavailable);
    },
  };
  switch (order.own.kind) {
    case "postgres":
      return await runPostgres(running);
    case "store":
      return await runStore(running);
    case "container":
      return await (await import("./run-container.ts")).runContainer(running);
    case "built":
      return await (await import("./run-built.ts")).runBuilt(running);
  }
}

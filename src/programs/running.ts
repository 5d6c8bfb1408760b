/** The values that our own programs of managed services are given: shapes only. */
import type { Order } from "../manifest/order.ts";
import type { Notify } from "../system/notify-supervisor.ts";

export type Running = {
  order: Order;
  /** The environment of the service, without the order. */
  env: Readonly<Record<string, string>>;
  notify: Notify;
  /** A line in the service's log. */
  say(text: string): void;
  /** Ends this process: `why` is a sentence for a person, and stands in the place of an exit code. */
  cannot(why: string, options?: { passing: boolean }): never;
};

/** The parts of `localhostess setup`, in the order in which they are set up. */
import { hosts } from "./parts/hosts.ts";
import { ports } from "./parts/ports.ts";
import { trust } from "./parts/trust.ts";
import type { Part } from "./plan.ts";

export const parts: readonly Part[] = [ports, hosts, trust];

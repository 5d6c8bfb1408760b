/** The parts of `localhostess setup`, in the order in which they are set up. */
import { hosts } from "./hosts.ts";
import { ports } from "./ports.ts";
import { trust } from "./trust.ts";
import type { Part } from "./plan.ts";

export const parts: readonly Part[] = [ports, hosts, trust];

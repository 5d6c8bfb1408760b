/** The parts of `localhostess setup`, in the order in which they are set up. */
import { ports } from "./parts/ports.ts";
import type { Part } from "./plan.ts";

export const parts: readonly Part[] = [ports];

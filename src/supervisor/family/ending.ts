/** How a process ended: with a code, or by a signal. Both are null where it is unknown. */
export type Ending = { code: number | null; signal: string | null };

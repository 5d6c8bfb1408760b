/** The text of `/proc/<pid>/status` -> what the process does with signals, and which of them wait for it. Pure. */

export type ProcStatus = {
  /** Waits for something: neither runs, nor wants to, nor is stopped. */
  asleep: boolean;
  /** One bit a signal; signal 1 is the lowest. */
  caught: bigint;
  ignored: bigint;
  /** Sent to the process or to its first thread, and not delivered yet. */
  pending: bigint;
};

const statusLine = /^(State|SigPnd|ShdPnd|SigIgn|SigCgt):\s*(\S+)/gm;

/** Undefined if the text is not in the format of proc_pid_status(5). */
export function parseProcStatus(text: string): ProcStatus | undefined {
  const lines = new Map<string, string>();
  for (const [, name, value] of text.matchAll(statusLine)) lines.set(name!, value!);
  const mask = (name: string): bigint | undefined => {
    const digits = lines.get(name);
    return digits !== undefined && /^[0-9a-f]{1,32}$/.test(digits)
      ? BigInt(`0x${digits}`)
      : undefined;
  };
  const caught = mask("SigCgt");
  const ignored = mask("SigIgn");
  const own = mask("SigPnd");
  const shared = mask("ShdPnd");
  if (caught === undefined || ignored === undefined) return undefined;
  if (own === undefined || shared === undefined) return undefined;
  return { asleep: lines.get("State") === "S", caught, ignored, pending: own | shared };
}

export function isIn(mask: bigint, signal: number): boolean {
  return signal > 0 && ((mask >> BigInt(signal - 1)) & 1n) === 1n;
}

/** A fault of ours -> what a log line says of it: the stack where there is one. Pure. */
export function faultText(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}

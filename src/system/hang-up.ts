/** The descriptor of a connected socket -> whether its peer has closed it, also while it is not read. Uses libc. */
import { libc } from "./libc.ts";

/** poll(2), the same on Linux and macOS. The kernel reports it unasked; a peer that only sends no more has not. */
const POLLHUP = 0x10;

/** Always false where there is no libc. */
export function hangUps(): (descriptor: number) => boolean {
  const calls = libc({ poll: { args: ["ptr", "u64", "i32"], returns: "i32" } });
  if (calls === undefined) return () => false;
  // struct pollfd: the descriptor, then two bytes of events and two of answers.
  const pollfd = new DataView(new ArrayBuffer(8));
  const bytes = new Uint8Array(pollfd.buffer);
  return (descriptor) => {
    pollfd.setInt32(0, descriptor, true);
    pollfd.setInt32(4, 0, true);
    return calls.poll(bytes, 1, 0) > 0 && (pollfd.getInt16(6, true) & POLLHUP) !== 0;
  };
}

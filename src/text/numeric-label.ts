/** The last label of a host -> whether clients read the host as an IPv4 address. Pure. */

/** WHATWG URL section 3.5, "ends in a number": such a host is parsed as an IPv4 address, or fails. */
const numeric = /^(?:\d+|0x[0-9a-f]*)$/;

export function isNumeric(label: string): boolean {
  return numeric.test(label);
}

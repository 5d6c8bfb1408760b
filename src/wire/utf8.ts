/** Octets -> whether they are well-formed UTF-8, which has one spelling for every character. RFC 3629 section 4. */

/** The lowest and the highest second octet by first octet; every other one is from 80 to BF. */
const secondFrom = new Map([
  [0xe0, 0xa0],
  [0xf0, 0x90],
]);
const secondTo = new Map([
  [0xed, 0x9f],
  [0xf4, 0x8f],
]);

/** Whether bytes[start, end) are well-formed: no overlong form such as C0 AF for `/`, no surrogate, nothing cut off. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end;) {
    const first = bytes[i++]!;
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    const followers = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let from = secondFrom.get(first) ?? 0x80;
    let to = secondTo.get(first) ?? 0xbf;
    for (const last = i + followers; i < last; i++) {
      if (i >= end || bytes[i]! < from || bytes[i]! > to) return false;
      from = 0x80;
      to = 0xbf;
    }
  }
  return true;
}

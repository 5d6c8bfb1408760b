/** Huffman-coded octets -> plain octets. RFC 7541 section 5.2 and appendix B. */

/** The length in bits of each octet's code, and last of EOS's. The code is canonical: lengths define it. */
const lengths = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
];

const EOS = 256;

/** The codes for `lengths`: shorter codes first, codes of one length in the order of their octets. */
function codes(): number[] {
  const result = new Array<number>(lengths.length);
  let code = 0;
  for (let length = 1; length <= 30; length++) {
    for (let symbol = 0; symbol <= EOS; symbol++) {
      if (lengths[symbol] === length) result[symbol] = code++;
    }
    code *= 2;
  }
  return result;
}

/** Set in a step that completes a symbol. */
const EMITS = 1 << 16;
/** Set in a step whose bits are no code. */
const FAILS = 1 << 17;

/**
 * A state machine that takes four bits a step. `steps[state * 16 + bits]` is the next state; with EMITS, its octet is
 * in the bits from 18 on. No code is shorter than five bits, so no step completes two symbols.
 */
function machine(): { steps: Int32Array; accepts: Uint8Array } {
  // The tree: each node has two children. A child is the number of a node, or -1 - symbol.
  const children: number[] = [0, 0];
  codes().forEach((code, symbol) => {
    let node = 0;
    for (let bit = lengths[symbol]! - 1; bit > 0; bit--) {
      const at = node * 2 + ((code >> bit) & 1);
      if (children[at] === 0) {
        children[at] = children.length / 2;
        children.push(0, 0);
      }
      node = children[at]!;
    }
    children[node * 2 + (code & 1)] = -1 - symbol;
  });
  const nodes = children.length / 2;
  const steps = new Int32Array(nodes * 16);
  for (let state = 0; state < nodes; state++) {
    for (let bits = 0; bits < 16; bits++) {
      let node = state;
      let step = 0;
      for (let bit = 3; bit >= 0; bit--) {
        const child = children[node * 2 + ((bits >> bit) & 1)]!;
        node = Math.max(child, 0);
        // EOS within a string is an error: RFC 7541 section 5.2.
        if (child === -1 - EOS) step |= FAILS;
        else if (child < 0) step |= EMITS | ((-1 - child) << 18);
      }
      steps[state * 16 + bits] = step | node;
    }
  }
  // Padding is the start of EOS, which is all ones, and shorter than an octet: up to seven levels down the tree.
  const accepts = new Uint8Array(nodes);
  for (let node = 0, depth = 0; depth < 8; depth++) {
    accepts[node] = 1;
    node = children[node * 2 + 1]!;
  }
  return { steps, accepts };
}

const { steps, accepts } = machine();

/** The most octets that `count` coded octets decode to: no code is shorter than five bits. */
export function huffmanRoom(count: number): number {
  return Math.ceil((count * 8) / 5);
}

/**
 * Decodes bytes[from, to) into `out` from `at` on, which has to have `huffmanRoom` octets.
 * @returns the offset behind the last octet written, or -1 if the bits are no code.
 */
export function decodeHuffman(
  bytes: Uint8Array,
  { from, to }: { from: number; to: number },
  out: Uint8Array,
  at: number,
): number {
  let state = 0;
  for (let i = from; i < to; i++) {
    const octet = bytes[i]!;
    let step = steps[state * 16 + (octet >> 4)]!;
    if ((step & FAILS) !== 0) return -1;
    if ((step & EMITS) !== 0) out[at++] = step >> 18;
    step = steps[(step & 0xffff) * 16 + (octet & 15)]!;
    if ((step & FAILS) !== 0) return -1;
    if ((step & EMITS) !== 0) out[at++] = step >> 18;
    state = step & 0xffff;
  }
  return accepts[state] === 1 ? at : -1;
}

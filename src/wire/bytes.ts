/** Octets -> the character classes of HTTP's grammar, and the few comparisons that the parsers need. */

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

function table(mark: (octet: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => mark(octet));
}

const tokenText = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** tchar, RFC 9110 section 5.6.2. */
export const isToken = table((octet) => (tokenText.includes(String.fromCharCode(octet)) ? 1 : 0));

/** field-vchar, SP and HTAB, RFC 9110 section 5.5: no control character, no DEL. */
export const isFieldText = table((octet) =>
  octet === HTAB || (octet >= SP && octet !== 127) ? 1 : 0,
);

/** The value of a hexadecimal digit, or 255 for any other octet. */
export const hexValue = table((octet) => {
  const value = Number.parseInt(String.fromCharCode(octet), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** Whether bytes[start, end) equals `lower`, ignoring case. `lower` holds only tchars. */
export function equalsIgnoreCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  lower: string,
): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    if (lowered(bytes[start + i]!) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** An ASCII capital becomes lower case; any other octet is unchanged. */
export function lowered(octet: number): number {
  return octet >= 65 && octet <= 90 ? octet + 32 : octet;
}

/** bytes[start, end) as text, one character per octet (ISO 8859-1, as in RFC 9110 section 5.5). */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

const encoder = new TextEncoder();

export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** `first` followed by `second`, in one new array. */
export function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

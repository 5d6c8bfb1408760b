/** Encoded pieces -> one run of bytes: the interface of the writer that HTTP/2's encoders are given. */
export interface Output {
  bytes: Uint8Array;
  length: number;
  clear(): void;
  /** Makes room for `count` more bytes. */
  reserve(count: number): void;
  /** Appends source[from, to). */
  copy(source: Uint8Array, from: number, to: number): void;
  append(source: Uint8Array): void;
  byte(octet: number): void;
}

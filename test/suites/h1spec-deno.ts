/** The part of Deno that h1spec uses, on Bun: a connection that is written to and read, arguments and an exit. */
import type { RawEnd } from "../support/raw-end.ts";
import { connectRaw } from "../support/raw-end.ts";
import { latin1Bytes } from "../support/latin1.ts";

const name = process.env.H1SPEC_HOST ?? "example.com";

class Connection {
  readonly #end: RawEnd;
  #read = 0;
  #closed = false;

  constructor(end: RawEnd) {
    this.#end = end;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const text = Buffer.from(bytes).toString("latin1").replaceAll("example.com", name);
    this.#end.send(latin1Bytes(text));
    return bytes.length;
  }

  /** Waits for bytes, or for the end: null. */
  async read(into: Uint8Array): Promise<number | null> {
    await this.#end.enough((text) => text.length > this.#read).catch(() => undefined);
    if (this.#closed) throw new Error("the connection was closed while it was read");
    const bytes = latin1Bytes(this.#end.text.slice(this.#read, this.#read + into.length));
    into.set(bytes);
    this.#read += bytes.length;
    return bytes.length === 0 ? null : bytes.length;
  }

  close(): void {
    this.#closed = true;
    this.#end.close();
  }
}

const Deno = {
  args: process.argv.slice(2),
  exit: (code: number): never => process.exit(code),
  connect: async ({ hostname, port }: { hostname: string; port: number }): Promise<Connection> =>
    new Connection(await connectRaw(port, { address: hostname })),
};

Object.assign(globalThis, { Deno });

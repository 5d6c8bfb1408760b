/** A browser's CONNECT to a name that is guarded -> TLS that we end, or a request: nothing passes unread. */
import type { Held } from "../../link/held.ts";
import { sniff } from "../../wire/sniff.ts";
import type { TunnelOwner } from "./tunnel.ts";

/**
 * CONNECT does not say which page asks. So nothing is dialled, and no service is woken, before the request inside is
 * read; browsers send nothing else through a tunnel than TLS and the handshakes of WebSockets.
 */
export class ReadTunnel {
  #isOver = false;

  constructor(
    readonly owner: Pick<TunnelOwner, "upgrade" | "secureInside" | "close">,
    readonly held: Held,
  ) {}

  /** The client has sent more, or may have. */
  look(): void {
    const bytes = this.held.view();
    if (this.#isOver || bytes.length === 0) return;
    this.#isOver = true;
    if (sniff(bytes[0]!) === "tls") this.owner.secureInside();
    else this.owner.upgrade(undefined);
  }

  /** The client sends no more, and has sent nothing. */
  end(): void {
    if (!this.#isOver) this.owner.close();
  }

  /** Nothing is awaited here: the first byte decides. */
  late(): void {}

  /** The connection is gone. */
  drop(): void {
    this.#isOver = true;
  }
}

/** Subjects -> certificates, each minted once, kept for a while, and renewed before it ends. */
import type { Clock } from "../system/clock.ts";
import type { Subject } from "./server-name.ts";

/** Milliseconds since the Unix epoch, both. */
export type Lifetime = { renewAt: number; expiresAt: number };

export type CertCacheOptions<Certificate extends Lifetime> = {
  clock: Clock;
  mint: (subject: Subject) => Promise<Certificate>;
  /** A renewal failed while the old certificate goes on: nobody waits for it who could be told. */
  onRenewalFailed: (subject: Subject, error: unknown) => void;
  /** How many certificates are kept. */
  capacity?: number;
};

/** Names that one person's machine serves at a time, with room; about 4 KiB each with its key. */
const usualCapacity = 256;

export class CertCache<Certificate extends Lifetime> {
  readonly #options: CertCacheOptions<Certificate>;
  readonly #capacity: number;
  /** By name; the least recently used comes first. */
  readonly #kept = new Map<string, Certificate>();
  readonly #minting = new Map<string, Promise<Certificate>>();

  constructor(options: CertCacheOptions<Certificate>) {
    this.#options = options;
    this.#capacity = options.capacity ?? usualCapacity;
  }

  /** How many certificates are in memory. */
  get size(): number {
    return this.#kept.size;
  }

  /**
   * At once where there is one that is valid, also when it is due for renewal, which then happens on the side. A promise
   * where one has to be minted, the same for all who wait for it; it is rejected if minting fails, and the next who
   * asks causes another try.
   */
  certificateFor(subject: Subject): Certificate | Promise<Certificate> {
    const kept = this.#kept.get(subject.name);
    if (kept === undefined) return this.#minted(subject);
    const now = this.#options.clock.now();
    // A machine that slept for weeks wakes with certificates like this.
    if (now >= kept.expiresAt) return this.#minted(subject);
    this.#keep(subject.name, kept);
    if (now >= kept.renewAt && !this.#minting.has(subject.name)) {
      this.#minted(subject).catch((error: unknown) => {
        this.#options.onRenewalFailed(subject, error);
      });
    }
    return kept;
  }

  /** Forgets all certificates: their authority is no longer the one that is trusted. */
  clear(): void {
    this.#kept.clear();
    this.#minting.clear();
  }

  #minted(subject: Subject): Promise<Certificate> {
    const running = this.#minting.get(subject.name);
    if (running !== undefined) return running;
    // One that was under way while the cache was cleared is for those who wait for it, and for nobody after them.
    const isCurrent = (): boolean => this.#minting.get(subject.name) === minting;
    const minting = Promise.try(() => this.#options.mint(subject))
      .then((certificate) => {
        if (isCurrent()) this.#keep(subject.name, certificate);
        return certificate;
      })
      .finally(() => {
        if (isCurrent()) this.#minting.delete(subject.name);
      });
    this.#minting.set(subject.name, minting);
    return minting;
  }

  #keep(name: string, certificate: Certificate): void {
    this.#kept.delete(name);
    this.#kept.set(name, certificate);
    if (this.#kept.size <= this.#capacity) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      break;
    }
  }
}

/** Subjects -> certificates, each minted once, cached, and renewed before it expires. */
import type { Clock } from "../system/clock.ts";
import type { Subject } from "./server-name.ts";

/** Both in milliseconds since the Unix epoch. */
export type Lifetime = { renewAt: number; expiresAt: number };

export type CertCacheOptions<Certificate extends Lifetime> = {
  clock: Clock;
  mint: (subject: Subject) => Promise<Certificate>;
  /** Called when a renewal fails while the old certificate is still valid: no client waits that could be told. */
  onRenewalFailed: (subject: Subject, error: unknown) => void;
  /** How many certificates are kept. */
  capacity?: number;
};

/** More names than one person's machine serves at a time; about 4 KiB each, including the key. */
const usualCapacity = 256;

export class CertCache<Certificate extends Lifetime> {
  readonly #options: CertCacheOptions<Certificate>;
  readonly #capacity: number;
  /** By name; the least recently used entry comes first. */
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
   * Returns a valid certificate at once, even if it is due for renewal; the renewal then runs in the background.
   * Returns a promise if the certificate has to be minted, the same promise for all who wait for it. The promise is
   * rejected if minting fails, and the next caller causes another attempt.
   */
  certificateFor(subject: Subject): Certificate | Promise<Certificate> {
    const kept = this.#kept.get(subject.name);
    if (kept === undefined) return this.#minted(subject);
    const now = this.#options.clock.wall();
    // A machine that slept for weeks wakes up with expired certificates.
    if (now >= kept.expiresAt) return this.#minted(subject);
    this.#keep(subject.name, kept);
    if (now >= kept.renewAt && !this.#minting.has(subject.name)) {
      this.#minted(subject).catch((error: unknown) => {
        this.#options.onRenewalFailed(subject, error);
      });
    }
    return kept;
  }

  /** Forgets all certificates, because their certificate authority is no longer the trusted one. */
  clear(): void {
    this.#kept.clear();
    this.#minting.clear();
  }

  #minted(subject: Subject): Promise<Certificate> {
    const running = this.#minting.get(subject.name);
    if (running !== undefined) return running;
    // A certificate that was being minted while the cache was cleared is only for those who already wait for it.
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

/** Requests that the guard refuses -> counts of each kind and origin, and one word of each to a person. */
import { allowing, type Denied, type DenialReport, deniedText } from "../../routes/denial.ts";
import type { Clock } from "../../system/clock.ts";

/** Kinds and origins that are told apart for one name: a site may have as many origins as it likes. */
export const mostTold = 20;
/** Names that are remembered; the one that was refused something last stays. */
const mostNames = 1_000;

export type DenialsOptions = {
  clock: Clock;
  /** One line, once for each name, origin and kind. */
  tell(denied: Pick<Denied, "name" | "service">, text: string): void;
};

type Row = { denied: Denied; count: number; startedAt: number; lastAt: number };

type Rows = { told: Map<string, Row>; isFull: boolean };

export class Denials {
  readonly #byName = new Map<string, Rows>();
  readonly #options: DenialsOptions;

  constructor(options: DenialsOptions) {
    this.#options = options;
  }

  add(denied: Denied): void {
    const { clock, tell } = this.#options;
    const rows = this.#rowsOf(denied.name);
    const { kind, origin, refused } = denied;
    const key = `${kind} ${refused} ${origin ?? ""}`;
    const now = clock.wall();
    const known = rows.told.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastAt = now;
      known.denied = denied;
      return;
    }
    if (rows.told.size < mostTold) {
      rows.told.set(key, { denied, count: 1, startedAt: now, lastAt: now });
      tell(denied, deniedText(denied));
    } else if (!rows.isFull) {
      rows.isFull = true;
      tell(denied, "pages of more sites are refused; from here on, they are counted only");
    }
  }

  /** The newest first. */
  of(name: string): readonly DenialReport[] {
    const rows = [...(this.#byName.get(name)?.told.values() ?? [])];
    return rows.sort((one, other) => other.lastAt - one.lastAt).map(reportOf);
  }

  #rowsOf(name: string): Rows {
    const rows = this.#byName.get(name) ?? { told: new Map(), isFull: false };
    // In the order in which they were refused something last.
    this.#byName.delete(name);
    this.#byName.set(name, rows);
    if (this.#byName.size > mostNames) {
      for (const oldest of this.#byName.keys()) {
        this.#byName.delete(oldest);
        break;
      }
    }
    return rows;
  }
}

function reportOf({ denied, count, startedAt, lastAt }: Row): DenialReport {
  const { name: service, origin = null, kind, method, path, refused } = denied;
  const { line, file } = allowing(denied);
  const message = deniedText(denied);
  return {
    service,
    origin,
    kind,
    method,
    path,
    count,
    startedAt,
    lastAt,
    refused,
    message,
    allow: line,
    file,
  };
}

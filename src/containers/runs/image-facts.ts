/** An engine's answer about an image -> the part of it that a container is made from. Pure. */

export type ImageFacts = {
  id: string;
  /** The HEALTHCHECK of its Dockerfile. */
  check: ImageCheck | undefined;
};

/** Times in milliseconds. */
export type ImageCheck = {
  /** A program inside, and its arguments. */
  words: readonly string[];
  interval: number;
  timeout: number;
  retries: number;
  startPeriod: number;
};

type Table = Readonly<Record<string, unknown>>;

/** Undefined: it is no image. */
export function imageFacts(value: unknown): ImageFacts | undefined {
  if (!isTable(value) || typeof value.Id !== "string" || value.Id === "") return undefined;
  const { Config } = value;
  const health = isTable(Config) ? Config.Healthcheck : undefined;
  return { id: value.Id, check: isTable(health) ? checkIn(health) : undefined };
}

function checkIn({ Test, Interval, Timeout, Retries, StartPeriod }: Table): ImageCheck | undefined {
  if (!Array.isArray(Test) || !Test.every((its) => typeof its === "string")) return undefined;
  const [kind, ...rest] = Test;
  const words = kind === "CMD" ? rest : kind === "CMD-SHELL" ? inShell(rest[0]) : [];
  if (words.length === 0) return undefined;
  // Docker's own defaults, where the Dockerfile says nothing.
  return {
    words,
    interval: milliseconds(Interval) ?? 30_000,
    timeout: milliseconds(Timeout) ?? 30_000,
    retries: typeof Retries === "number" && Retries > 0 ? Retries : 3,
    startPeriod: milliseconds(StartPeriod) ?? 0,
  };
}

export function inShell(command: string | undefined): string[] {
  return command === undefined ? [] : ["/bin/sh", "-c", command];
}

/** Engines count in nanoseconds; 0 is the default. */
function milliseconds(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? Math.ceil(value / 1e6) : undefined;
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

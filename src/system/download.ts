/** The address of a file, and its hash -> its bytes, none of which is given out before the hash is right. */
import { shownSize } from "../text/size.ts";

export type DownloadOptions = {
  url: string;
  /** In base64. */
  sha512: string;
  /** Bytes that are taken at most: a registry that sends without end is left. */
  limit: number;
  /** `total` is undefined where the server does not say it. */
  onProgress(received: number, total: number | undefined): void;
  /** Milliseconds without a byte after which a try is given up. */
  patience?: number;
  /** Milliseconds before the second and the third try. */
  pauses?: readonly number[];
};

/** Why a file is not here, as a clause. */
export class Unfetched extends Error {
  /** True where the next try may end in another way, without anything being done. */
  readonly passing: boolean;

  constructor(why: string, { passing = false }: { passing?: boolean } = {}) {
    super(why);
    this.passing = passing;
  }
}

/** As curl has it for a connection that has become useless. */
const usualPatience = 30_000;
const usualPauses = [500, 2000];

/** Errors of a machine without a network, or with a registry that is not there. */
const offline = [
  "ConnectionRefused",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "FailedToOpenSocket",
  "DNSResolveFailed",
];

type Received = { pieces: Uint8Array[]; length: number };

/** The outcome of one try: `again` is worth another one. */
type Try = { kind: "whole" } | { kind: "again"; why: string; gone: boolean };

/** A try that was cut off is gone on with where the server can. @throws Unfetched. */
export async function download(options: DownloadOptions): Promise<Uint8Array> {
  const { url, sha512, pauses = usualPauses } = options;
  let received: Received = { pieces: [], length: 0 };
  for (let tries = 0; ; tries++) {
    const tried = await attempt(received, options);
    let why: string;
    if (tried.kind === "whole") {
      const bytes = Buffer.concat(received.pieces);
      if (new Bun.CryptoHasher("sha512").update(bytes).digest("base64") === sha512) return bytes;
      why = "is not the file that this program knows: its hash is another";
      if (tries >= 1) throw new Unfetched(`${url} ${why}; nothing of it was unpacked`);
      received = { pieces: [], length: 0 };
    } else {
      why = tried.why;
      const pause = pauses[tries];
      if (pause === undefined) throw new Unfetched(`${url} ${why}`, { passing: !tried.gone });
      await Bun.sleep(pause);
    }
  }
}

async function attempt(received: Received, options: DownloadOptions): Promise<Try> {
  const { url, limit, onProgress, patience = usualPatience } = options;
  const abort = new AbortController();
  let timer: Timer | undefined;
  const signOfLife = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), patience);
  };
  signOfLife();
  try {
    const range = received.length === 0 ? {} : { Range: `bytes=${received.length}-` };
    const answer = await fetch(url, {
      // Compressed once more on the way, its length would say nothing.
      headers: { ...range, "Accept-Encoding": "identity" },
      signal: abort.signal,
      // The connection of a try that was cut off is no good for the next one.
      keepalive: false,
    });
    // Also after 416, which is said where no such part is there: the next try begins at the beginning.
    if (answer.status !== 206 || !continues(answer, received)) {
      received.pieces.length = 0;
      received.length = 0;
    }
    const refused = refusalOf(answer, url);
    if (refused !== undefined) return refused;
    const left = Number(answer.headers.get("content-length") ?? Number.NaN);
    const total = Number.isNaN(left) ? undefined : received.length + left;
    const tooLarge = new Unfetched(`${url} is larger than ${shownSize(limit)}, and is not taken`);
    if (total !== undefined && total > limit) throw tooLarge;
    for await (const piece of answer.body ?? []) {
      signOfLife();
      received.pieces.push(piece as Uint8Array);
      received.length += (piece as Uint8Array).length;
      if (received.length > limit) throw tooLarge;
      onProgress(received.length, total);
    }
    if (total !== undefined && received.length < total) {
      return again(`was cut off after ${shownSize(received.length)}`);
    }
    return { kind: "whole" };
  } catch (error) {
    if (error instanceof Unfetched) throw error;
    return failed(error as NodeJS.ErrnoException, { received, patience });
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function again(why: string, { gone = false } = {}): Try {
  return { kind: "again", why, gone };
}

/** Whether the bytes of an answer begin where those that are here end. */
function continues(answer: Response, { length }: Received): boolean {
  return answer.headers.get("content-range")?.startsWith(`bytes ${length}-`) ?? false;
}

/** @throws Unfetched where no other try would help. */
function refusalOf({ status, ok }: Response, url: string): Try | undefined {
  if (ok) return undefined;
  const why = `was answered with status ${status}`;
  if (status >= 500 || [408, 416, 429].includes(status)) return again(why);
  throw new Unfetched(`${url} ${why}`);
}

function failed(
  { code, name, message }: NodeJS.ErrnoException,
  { received, patience }: { received: Received; patience: number },
): Try {
  if (name === "AbortError") return again(`sent nothing for ${patience / 1000} s`);
  if (received.length > 0) return again(`was cut off after ${shownSize(received.length)}`);
  return again(`cannot be reached (${code ?? message})`, { gone: offline.includes(code ?? "") });
}

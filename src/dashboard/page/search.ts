/** A query -> the requests and the lines of output that it finds, of all services. */
import { computed, effect, signal } from "@preact/signals";
import type { JsonForm } from "../../routes/json-form.ts";
import type { OutputLine } from "../../routes/project-report.ts";
import { ask, linesOf } from "./ask.ts";
import { matchingLines, matchingRequests, type PlainLine, type SeenRequest } from "./model.ts";
import { plain } from "./projects.ts";

export const query = signal("");

/** The places that are searched: the last thousand requests, and the last lines of all output. */
const requests = signal<readonly SeenRequest[]>([]);
const lines = signal<readonly PlainLine[]>([]);

export const requestHits = computed(() => matchingRequests(requests.value, query.value));
export const lineHits = computed(() => matchingLines(lines.value, query.value));

const mostRequests = 1_000;
/** Lines of all services together: some hundred kilobytes at most from the same machine. */
const mostLines = 2_000;
/** Characters of a line that are searched and shown: some programs print a file as one line. */
const longestLine = 2_000;
/** Milliseconds between two looks while somebody searches. */
const pause = 3_000;

let looking = false;
let looked = Number.NEGATIVE_INFINITY;

/** Looks when a search begins, and again while it goes on. */
export function startSearch(): void {
  effect(() => {
    if (query.value !== "") void look();
  });
  setInterval(() => {
    if (query.value !== "" && document.visibilityState === "visible") void look();
  }, pause);
}

async function look(): Promise<void> {
  if (looking || performance.now() - looked < pause) return;
  looking = true;
  const [fresh] = await Promise.all([
    ask<SeenRequest[]>(`/v1/requests?limit=${mostRequests}`),
    readLines(),
  ]);
  if (fresh !== undefined) requests.value = fresh;
  looked = performance.now();
  looking = false;
}

async function readLines(): Promise<void> {
  const found: PlainLine[] = [];
  try {
    const path = `/v1/logs?mode=snapshot&tail=${mostLines}`;
    const { signal: never } = new AbortController();
    for await (const line of linesOf<JsonForm<OutputLine>>(path, never)) {
      const { service, message, time } = line;
      found.push({ service, text: plain(message.slice(0, longestLine)), time });
    }
  } catch {
    // The daemon is gone, which the event stream reports; what was found before stays.
    return;
  }
  lines.value = found.slice(-mostLines);
}

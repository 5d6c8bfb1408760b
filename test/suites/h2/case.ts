/** What a case of our HTTP/2 suite is: what a client sends, and what may become of it at both ends. */
import type { Field, H2Client } from "./client.ts";

/** `id`: in the paths of a case's requests. */
export type Place = { readonly host: string; readonly id: string; readonly scheme: string };

/**
 * `refused`: reset, told by a status of 400 or more, or the connection ends; no server sees it. `served`: 200, and the
 * server sees one request. `clean`: either of both. In no case does the server see a second request, or what is not
 * well-formed.
 */
export type Verdict = "refused" | "served" | "clean";

export type Case = {
  readonly name: string;
  readonly verdict: Verdict;
  /** Writes all that the case is about on a connection that has greeted; stream 1 is the one that is judged. */
  send(client: H2Client, place: Place): void;
  /** Has to stand in the request as the server saw it. */
  readonly sees?: RegExp;
  readonly lacks?: RegExp;
  /** What the client heard. @returns what is wrong with it. */
  hears?(client: H2Client): string | undefined;
  /** The connection as a whole has to end, where that is what is asked. */
  readonly connection?: boolean;
};

export const pathOf = ({ id }: Place): string => `/first-${id}-`;

/** A second request as HTTP/1.1 would have it. */
export const hiddenIn = ({ host, id }: Place): string =>
  `GET /hidden-${id}- HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

export type Changes = {
  /** Instead of a pseudo-header's usual value; undefined: without it. */
  readonly pseudo?: Readonly<Record<string, string | undefined>>;
  /** Behind the pseudo-headers. */
  readonly more?: readonly Field[];
  /** In front of them. */
  readonly before?: readonly Field[];
};

/** The fields of an ordinary request with changes; `METHOD` is GET unless said. */
export function fieldsOf(
  place: Place,
  { pseudo = {}, more = [], before = [] }: Changes = {},
): Field[] {
  const usual: Record<string, string | undefined> = {
    ":method": "GET",
    ":scheme": place.scheme,
    ":authority": place.host,
    ":path": pathOf(place),
    ...pseudo,
  };
  const given = Object.entries(usual).flatMap(([name, value]): Field[] =>
    value === undefined ? [] : [[name, value]],
  );
  return [...before, ...given, ...more];
}

export type Shape = {
  changes: (place: Place) => Changes;
  /** DATA frames; the last one ends the stream unless trailers do. */
  body?: (place: Place) => readonly string[];
  trailers?: (place: Place) => readonly Field[];
};

/** A request of one HEADERS frame with DATA and trailers behind it. */
export function asked({ changes, body, trailers }: Shape): Case["send"] {
  return (client, place) => {
    const pieces = body?.(place);
    const behind = trailers?.(place);
    const end = pieces === undefined && behind === undefined;
    client.headers(1, fieldsOf(place, changes(place)), { end });
    for (const [index, piece] of (pieces ?? []).entries()) {
      client.data(1, piece, { end: index === pieces!.length - 1 && behind === undefined });
    }
    if (behind !== undefined) client.headers(1, behind);
  };
}

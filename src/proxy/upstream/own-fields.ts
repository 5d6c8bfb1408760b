/** A client and the name it asked for -> the fields by which we tell a service of both, and mark what has been here. */
import type { Forwarding } from "../../manifest/name-settings.ts";
import { encode } from "../../wire/bytes.ts";
import { Field, type FieldId } from "../../wire/field.ts";
import type { FieldLines, RequestHead } from "../../wire/head.ts";
import type { HeadWriter } from "../frames/head-writer.ts";

/** The lines that are the same for every request of one client to one name. */
export type OwnFields = {
  /** The X-Forwarded-* lines, our mark, and the empty line. */
  own: Uint8Array;
  /** The X-Forwarded-* lines alone. */
  forwarded: Uint8Array;
  /** See `markOf`. */
  mark: string;
};

export type OwnFieldsFacts = {
  /** The client's address. */
  client: string;
  /** The scheme and the authority of the URL as the service is told it. */
  proto: "http" | "https";
  authority: string;
  /** The port of that URL, also if the authority leaves it out. */
  port: number;
  mark: string;
  /** Some servers refuse every request that came by a proxy which they have not been told of. */
  forwarded: Forwarding;
};

/** Marks a request that has been here for the same service. */
export function markOf(service: string, instance: string): string {
  return `${service}.${instance}.localhostess`;
}

export function ownFields(facts: OwnFieldsFacts): OwnFields {
  const { client, proto, authority, port, mark } = facts;
  const lines =
    facts.forwarded === "none"
      ? ""
      : `X-Forwarded-For: ${client}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${authority}\r\n` +
        `X-Forwarded-Port: ${port}\r\n`;
  return {
    // RFC 8586. Not Via, because servers turn something off for requests that have one: nginx compresses nothing.
    own: encode(`${lines}CDN-Loop: ${mark}\r\n\r\n`),
    forwarded: encode(lines),
    mark,
  };
}

/**
 * Writes our fields for a request that other proxies have had, or we. All marks are in one line, because a proxy that
 * keeps one line of each name would lose the others. If there is a Via, ours follows it: RFC 9110 section 7.6.3.
 */
export function writeProxied(
  head: RequestHead,
  bytes: Uint8Array,
  { forwarded, mark }: OwnFields,
  out: HeadWriter,
): void {
  out.append(forwarded);
  const marks = [...valuesOf(head, bytes, Field.cdnLoop), mark].filter((text) => text !== "");
  out.latin1(`CDN-Loop: ${marks.join(", ")}\r\n`);
  if (head.find(Field.via) !== -1) out.latin1(`Via: 1.1 ${mark}\r\n`);
  out.latin1("\r\n");
}

/** Whether the request has been here for the same service, and would come again for ever. */
export function hasBeenHere(head: RequestHead, bytes: Uint8Array, mark: string): boolean {
  return [Field.cdnLoop, Field.via].some((id) =>
    valuesOf(head, bytes, id).some((value) => value.split(/[\s,;]+/).includes(mark)),
  );
}

function valuesOf(head: FieldLines, bytes: Uint8Array, id: FieldId): string[] {
  const values: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.idOf(index) === id) values.push(head.valueOf(bytes, index));
  }
  return values;
}

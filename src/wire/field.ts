/** The octets of a field name -> the id of one of the few fields that a proxy has to act on. */
import { encode } from "./bytes.ts";

/** Field names with a meaning for us. `other` is forwarded without being read. */
export const Field = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  expect: 6,
  keepAlive: 7,
  te: 8,
  via: 9,
  proxyConnection: 10,
  proxyAuthorization: 11,
  proxyAuthenticate: 12,
  http2Settings: 13,
  forwarded: 14,
  xForwarded: 15,
  origin: 16,
  referer: 17,
  accept: 18,
  location: 19,
  maxForwards: 20,
  /** `Content_Length`, `Transfer_Encoding` and the like: CGI-style servers read `_` as `-`. */
  framingTwin: 21,
  /** `X_Forwarded_For` and the like: a client's attempt to write our fields. */
  forwardedTwin: 22,
  trailer: 23,
  proxy: 24,
  contentType: 25,
  secFetchSite: 26,
  secFetchMode: 27,
  secFetchDest: 28,
  secPurpose: 29,
  accessControlRequestMethod: 30,
  authorization: 31,
  wwwAuthenticate: 32,
  persistentAuth: 33,
  cdnLoop: 34,
} as const;

export const fieldIdCount = Object.keys(Field).length;

export type FieldId = (typeof Field)[keyof typeof Field];

type Known = { octets: Uint8Array; id: FieldId; twin: FieldId };

/** No name below is longer. */
const longest = 29;

/** Names by their length and first letter, as `placeOf` has them: few names of a head lead to any. */
const places = Array.from({ length: (longest + 1) * 32 }, (): Known[] => []);

/** Five bits of a letter are its number in the alphabet, whatever its case. */
function placeOf(length: number, first: number): number {
  return length * 32 + (first & 31);
}

function known(name: string, id: FieldId, twin: FieldId = Field.other): void {
  const octets = encode(name);
  places[placeOf(octets.length, octets[0]!)]!.push({ octets, id, twin });
}

known("te", Field.te);
known("via", Field.via);
known("host", Field.host);
known("expect", Field.expect);
known("proxy", Field.proxy);
known("origin", Field.origin);
known("accept", Field.accept);
known("upgrade", Field.upgrade);
known("referer", Field.referer);
known("trailer", Field.trailer);
known("location", Field.location);
known("cdn-loop", Field.cdnLoop);
known("forwarded", Field.forwarded);
known("connection", Field.connection);
known("keep-alive", Field.keepAlive);
known("sec-purpose", Field.secPurpose);
known("content-type", Field.contentType);
known("authorization", Field.authorization);
known("max-forwards", Field.maxForwards);
known("sec-fetch-site", Field.secFetchSite);
known("sec-fetch-mode", Field.secFetchMode);
known("sec-fetch-dest", Field.secFetchDest);
known("http2-settings", Field.http2Settings);
known("content-length", Field.contentLength, Field.framingTwin);
known("x-forwarded-for", Field.xForwarded, Field.forwardedTwin);
known("x-forwarded-host", Field.xForwarded, Field.forwardedTwin);
known("x-forwarded-port", Field.xForwarded, Field.forwardedTwin);
known("persistent-auth", Field.persistentAuth);
known("proxy-connection", Field.proxyConnection);
known("www-authenticate", Field.wwwAuthenticate);
known("x-forwarded-proto", Field.xForwarded, Field.forwardedTwin);
known("transfer-encoding", Field.transferEncoding, Field.framingTwin);
known("proxy-authenticate", Field.proxyAuthenticate);
known("proxy-authorization", Field.proxyAuthorization);
known("access-control-request-method", Field.accessControlRequestMethod);

/** The id of the name in bytes[start, end), which are all tchars. */
export function fieldId(bytes: Uint8Array, start: number, end: number): FieldId {
  const length = end - start;
  if (length > longest) return Field.other;
  const list = places[placeOf(length, bytes[start]!)]!;
  next: for (let k = 0; k < list.length; k++) {
    const { octets, id, twin } = list[k]!;
    let spelled: FieldId = id;
    // Names that begin alike end differently.
    for (let i = length - 1; i >= 0; i--) {
      const octet = bytes[start + i]! | 0x20;
      const wanted = octets[i]!;
      if (octet === wanted) continue;
      // `_` with the letter bit set is DEL, which is not a tchar.
      if (wanted !== 45 || octet !== 127 || twin === Field.other) continue next;
      spelled = twin;
    }
    return spelled;
  }
  return Field.other;
}

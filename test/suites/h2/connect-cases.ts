/** RFC 8441: WebSocket tunnels, which become an Upgrade in HTTP/1.1. The server behind them switches for nobody. */
import { type Case, fieldsOf, hiddenIn, type Place } from "./case.ts";
import type { Field, H2Client } from "./client.ts";

type Changes = Record<string, string | undefined>;

/** `more`: behind the pseudo-headers. */
function open(
  { client, place }: { client: H2Client; place: Place },
  { pseudo = {}, more = [], end = false }: { pseudo?: Changes; more?: Field[]; end?: boolean } = {},
): void {
  const changes = { ":method": "CONNECT", ":protocol": "websocket", ...pseudo };
  const usual: Field[] = [
    ["sec-websocket-version", "13"],
    ["origin", `https://${place.host}`],
  ];
  client.headers(1, fieldsOf(place, { pseudo: changes, more: [...usual, ...more] }), { end });
}

/** A server that answers 200 and does not switch has opened no tunnel, whatever 200 means to an extended CONNECT. */
const noTunnel: Case["hears"] = () => "a tunnel that its server has not opened is told as open";

const refused = (name: string, send: Case["send"]): Case => ({ name, verdict: "refused", send });

export const connectCases: readonly Case[] = [
  {
    name: "a WebSocket whose server answers 200 is no tunnel",
    verdict: "clean",
    send: (client, place) => open({ client, place }),
    hears: noTunnel,
  },
  {
    name: "a request in the first DATA of a WebSocket whose server answers 200",
    verdict: "clean",
    send(client, place) {
      open({ client, place });
      client.data(1, hiddenIn(place));
    },
    hears: noTunnel,
  },
  {
    name: "a WebSocket whose stream ends with its head",
    verdict: "clean",
    send: (client, place) => open({ client, place }, { end: true }),
    hears: noTunnel,
  },
  {
    name: "a WebSocket with a key and an upgrade of its own",
    verdict: "clean",
    send: (client, place) =>
      open({ client, place }, { more: [["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="]] }),
    hears: noTunnel,
  },
  refused("an extended CONNECT without :path", (client, place) =>
    open({ client, place }, { pseudo: { ":path": undefined } }),
  ),
  refused("an extended CONNECT without :scheme", (client, place) =>
    open({ client, place }, { pseudo: { ":scheme": undefined } }),
  ),
  refused("an extended CONNECT without :authority", (client, place) =>
    open({ client, place }, { pseudo: { ":authority": undefined } }),
  ),
  refused("an extended CONNECT without a protocol's name", (client, place) =>
    open({ client, place }, { pseudo: { ":protocol": "" } }),
  ),
  refused("an extended CONNECT to a protocol that nobody knows", (client, place) =>
    open({ client, place }, { pseudo: { ":protocol": "connect-udp" } }),
  ),
  refused("CRLF in :protocol", (client, place) =>
    open({ client, place }, { pseudo: { ":protocol": "websocket\r\nx-injected: 1" } }),
  ),
  refused(":protocol twice", (client, place) =>
    open({ client, place }, { more: [[":protocol", "websocket"]] }),
  ),
  refused("an extended CONNECT with transfer-encoding", (client, place) =>
    open({ client, place }, { more: [["transfer-encoding", "chunked"]] }),
  ),
  refused("an extended CONNECT with upgrade", (client, place) =>
    open({ client, place }, { more: [["upgrade", "h2c"]] }),
  ),
  {
    name: "an extended CONNECT with a length, and a request in its DATA",
    verdict: "clean",
    send(client, place) {
      open({ client, place }, { more: [["content-length", "4"]] });
      client.data(1, hiddenIn(place));
    },
    hears: noTunnel,
  },
];

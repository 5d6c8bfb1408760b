/** The text that a person types for a place, such as `5432`, `box:80` or `unix:/run/api.sock` -> the place. Pure. */
import { isIPv4 } from "node:net";
import { join, resolve } from "node:path";
import { shown } from "../../text/shown.ts";
import type { Place } from "../../routes/claim.ts";

export type ReadPlace =
  | { kind: "place"; place: Place }
  /** A port, or the pid of a process: only the machine can tell. */
  | { kind: "number"; number: number }
  | { kind: "pid"; pid: number }
  | { kind: "mistake"; what: string };

export type ReadPlaceOptions = {
  cwd: string;
  home: string;
  /** Octets that the path of a unix socket may have. */
  longestPath: number;
};

const forms = "a port, pid:<pid>, <host>:<port> or unix:<path>";

/** Linux's PID_MAX_LIMIT. */
const mostPids = 4_194_304;

/** Ports that URLs of these schemes may leave out. */
const usualPorts: Readonly<Record<string, number>> = {
  "http:": 80,
  "ws:": 80,
  "https:": 443,
  "wss:": 443,
};

export function readPlace(text: string, options: ReadPlaceOptions): ReadPlace {
  const [, scheme, rest = ""] = /^(unix|pid|port):(.*)$/is.exec(text) ?? [];
  switch (scheme?.toLowerCase()) {
    case "unix":
      return socketAt(rest, options);
    case "pid":
      return /^\d{1,7}$/.test(rest) && Number(rest) > 0 && Number(rest) <= mostPids
        ? { kind: "pid", pid: Number(rest) }
        : mistake(`${shown(text)}: pid: takes the number of a process`);
    case "port":
      return portOf(rest) ?? mistake(`${shown(text)}: port: takes a number from 1 to 65535`);
    default:
  }
  // As programs write it that put a path in the place of a host.
  const [, encoded] = /^https?\+unix:\/\/([^/?#]+)/i.exec(text) ?? [];
  if (encoded !== undefined) return socketAt(decoded(encoded), options);
  if (/^[/.~]/.test(text)) return socketAt(text, options);
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= mostPids
      ? { kind: "number", number }
      : mistake(`${shown(text)} is neither a port (1 to 65535) nor the pid of a process`);
  }
  // `3000-3005`, `+3000`, `3 000`: no host is written so.
  if (/^[-+\s\d]*$/.test(text)) return mistake(`${shown(text)} is not ${forms}`);
  if (/^:\d+$/.test(text)) {
    return portOf(text.slice(1)) ?? mistake(`${shown(text)}: a port is a number from 1 to 65535`);
  }
  return atHost(text);
}

function mistake(what: string): ReadPlace {
  return { kind: "mistake", what };
}

function place(its: Place): ReadPlace {
  return { kind: "place", place: its };
}

function portOf(text: string): ReadPlace | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? place({ kind: "port", port }) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not an encoding of anything: the text is taken as it is.
    return text;
  }
}

function socketAt(text: string, { cwd, home, longestPath }: ReadPlaceOptions): ReadPlace {
  // As in `unix:///run/api.sock`.
  const written = text.replace(/^\/\/(?=\/)/, "");
  if (written === "" || written.endsWith("/")) {
    return mistake(`${shown(text)}: unix: takes the path of a socket, such as unix:/run/api.sock`);
  }
  if (written.startsWith("@")) {
    return mistake(`${shown(text)}: a socket without a path cannot be dialled; give it one`);
  }
  const path = written.startsWith("~/") ? join(home, written.slice(2)) : resolve(cwd, written);
  if (path.includes("\0")) return mistake(`${shown(text)}: a path has no zero octet`);
  const octets = Buffer.byteLength(path);
  if (octets > longestPath) {
    return mistake(
      `${shown(path)}: the path of a socket has at most ${longestPath} octets, this one has ${octets}; a link to its folder in a shorter place helps`,
    );
  }
  return place({ kind: "socket", path });
}

/** A host and a port, or a URL, of which the rest does not matter. */
function atHost(text: string): ReadPlace {
  const [, scheme, authority = ""] = /^(?:([a-z][a-z0-9+.-]*:)\/\/)?([^/?#]*)/i.exec(text) ?? [];
  // A password in a URL is nobody's business, not even in a message.
  const its = shown(text.replace(/[^/]*@/, ""));
  const usual = scheme === undefined ? undefined : usualPorts[scheme.toLowerCase()];
  const [, host = "", digits] = /^(?:.*@)?(\[[^\]]*\]|[^:]*)(?::(\d*))?$/s.exec(authority) ?? [];
  if (host === "") {
    const isV6 = /^[0-9a-f:.]+$/i.test(authority) && authority.split(":").length > 2;
    const fix = isV6 ? "; an IPv6 address stands in brackets: [::1]:3000" : "";
    return mistake(`${its} is not ${forms}${fix}`);
  }
  const port = digits === undefined || digits === "" ? usual : Number(digits);
  if (port === undefined) {
    const fix = text.endsWith(".sock") ? `unix:${text}` : `${host}:80`;
    return mistake(`${its} has no port; try ${shown(fix)}`);
  }
  if (port < 1 || port > 65_535) return mistake(`${its}: a port is a number from 1 to 65535`);
  // The forms of an IPv4 address that resolvers know, and names in other scripts, as a URL has them.
  const name = URL.parse(`http://${host}/`)?.hostname.replace(/\.$/, "") ?? "";
  if (/[\s\\]/.test(host) || !isHost(name))
    return mistake(`${its}: ${shown(host)} is not the name of a host`);
  return place(placeAt(name, port));
}

function isHost(name: string): boolean {
  if (name.startsWith("[")) return true;
  return name.length <= 253 && name.split(".").every((part) => /^[a-z0-9_-]{1,63}$/.test(part));
}

/** Names and addresses of loopback mean this machine; others may be any. */
function placeAt(name: string, port: number): Place {
  const address = unmapped(name.replace(/^\[|\]$/g, ""));
  if (name === "localhost" || name.endsWith(".localhost")) return { kind: "port", port };
  if (address === "0.0.0.0" || address === "::") return { kind: "port", port };
  const isLoopback = address === "::1" || (isIPv4(address) && address.startsWith("127."));
  return isLoopback ? { kind: "port", port, address } : { kind: "host", host: address, port };
}

/** An IPv4 address in IPv6's form, as a URL has it: `::ffff:7f00:1`. The kernel lists it as IPv4. */
function unmapped(address: string): string {
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  return [high, low]
    .map((text) => Number.parseInt(text, 16))
    .flatMap((word) => [word >> 8, word & 0xff])
    .join(".");
}

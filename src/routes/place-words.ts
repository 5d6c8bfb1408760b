/** A claimed place -> the words for it in a sentence, and the argument that names it. Pure. */
import { isSocketPath, placeText } from "../text/place.ts";
import { printablePath } from "../text/printable.ts";
import { pastedWord } from "../text/shell-words.ts";
import type { Place } from "./claim.ts";
import type { Endpoint } from "./service.ts";

/** As in `nothing listens on ...`. */
export function placeWords(place: Place): string {
  switch (place.kind) {
    case "socket":
      return printablePath(place.path);
    case "host":
      return placeText({ address: place.host, port: place.port });
    case "port":
      return place.address === undefined
        ? `port ${place.port}`
        : placeText({ address: place.address, port: place.port });
    case "process":
      return `pid ${place.process.pid}`;
  }
}

/** As `localhostess name <name> <place>` takes it, for a shell. */
export function placeArgument(place: Place): string {
  switch (place.kind) {
    case "socket":
      return pastedWord(`unix:${place.path}`);
    case "port":
      return place.address === undefined ? String(place.port) : pastedWord(placeWords(place));
    case "host":
      return pastedWord(placeWords(place));
    case "process":
      return `pid:${place.process.pid}`;
  }
}

/** The place at which an endpoint is, for lists in which no command line stands. */
export function endpointWords(endpoint: Pick<Endpoint, "address" | "port">): string {
  return isSocketPath(endpoint.address) ? `unix:${placeText(endpoint)}` : placeText(endpoint);
}

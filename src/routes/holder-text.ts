/** A service -> the words for what is behind it: its pid, or its place where no process is known. Pure. */
import { placeText } from "../text/place.ts";
import type { Service } from "./service.ts";

export function holderText({ process, endpoint }: Pick<Service, "process" | "endpoint">): string {
  return process === undefined ? placeText(endpoint) : `pid ${process.pid}`;
}

/** The name of another machine, and servers here -> a sentence where names of both have one ending. Pure. */
import type { Service } from "../../routes/service.ts";

/** Names in one sentence. */
const most = 3;

/** Undefined: no server of this machine has such a name. */
export function sameEnding(
  remote: string,
  services: readonly Pick<Service, "name" | "source">[],
): string | undefined {
  const here = services
    .filter(({ source }) => source !== "remote")
    .map(({ name }) => name)
    .filter((name) => name === remote || name.endsWith(`.${remote}`));
  if (here.length === 0) return undefined;
  const more = here.length > most ? ` and ${here.length - most} more` : "";
  return `${here.slice(0, most).join(", ")}${more} of this machine can still be reached, but every other name that ends in .${remote} is now one of ${remote}; to keep them apart, remove it (localhostess remote remove ${remote}) and add it under another name`;
}

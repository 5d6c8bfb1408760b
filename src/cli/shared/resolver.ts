/** A host -> the addresses that the system's resolver has for it, within a deadline. */
import { lookup } from "node:dns/promises";
import { classifyHost } from "../../routes/host.ts";

/** `deadline` in milliseconds. Empty where the resolver has no address, whatever its reason. */
export async function addressesOf(
  host: string,
  { deadline }: { deadline: number },
): Promise<readonly string[] | "late"> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), deadline);
  const asked = lookup(host, { all: true }).then(
    (found) => [...new Set(found.map(({ address }) => address))],
    () => [],
  );
  const addresses = await Promise.race([asked, late.promise]);
  clearTimeout(timer);
  return addresses;
}

/** The addresses that are not this machine's loopback. */
export function elsewhereIn(addresses: readonly string[]): string[] {
  return addresses.filter(
    (address) => classifyHost(address.includes(":") ? `[${address}]` : address).kind !== "own",
  );
}

/** A Host field -> whether it is a name of the site's own, by which no page of another site can ask. Pure. */

export type OwnNames = {
  /** Without `.localhost`; undefined: it has none. */
  routeName: string | undefined;
  /** The project's domain: `shop.localhost`. */
  domain: string;
};

/**
 * A name of another site that its owner makes an address of this machine (DNS rebinding) comes in Host as that name. At
 * any port: a proxy may stand in front.
 */
export function isOwnHost(host: string | undefined, { routeName, domain }: OwnNames): boolean {
  const found = /^(\[[0-9a-f:]+\]|[^:]*)(?::\d{1,5})?$/i.exec(host ?? "");
  const name = found?.[1]?.toLowerCase().replace(/\.$/, "");
  if (name === undefined || name === "") return false;
  if (name === "localhost" || name === "127.0.0.1" || name === "[::1]") return true;
  // Nobody but this machine resolves these.
  if (routeName === undefined) return false;
  const ending = domain.slice(domain.lastIndexOf("."));
  return name === `${routeName}.localhost` || name === `${routeName}${ending}`;
}

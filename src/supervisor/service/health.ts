/** The answer to a check: the service is well at this moment, or why not. */

export type Health = { kind: "well" } | { kind: "ill"; why: string };

export function ill(why: string): Health {
  return { kind: "ill", why };
}

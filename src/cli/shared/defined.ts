/** Environment variables -> those that are set. Pure. */

export function definedOf(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const defined = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(defined);
}

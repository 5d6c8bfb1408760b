/** An Accept-Encoding field -> the codings to look for, the best first. RFC 9110 section 12.5.3. Pure. */

export type Coding = {
  /** As Content-Encoding has it. */
  name: "br" | "zstd" | "gzip";
  /** The ending of a file that is compressed already, beside the file itself. */
  ending: string;
};

/** The smallest first, of the same file as bundlers compress it. */
export const codings: readonly Coding[] = [
  { name: "br", ending: ".br" },
  { name: "zstd", ending: ".zst" },
  { name: "gzip", ending: ".gz" },
];

/** Those that the client takes at least as gladly as the file itself. */
export function codingsIn(field: string | undefined): readonly Coding[] {
  if (field === undefined) return [];
  const weights = new Map<string, number>();
  for (const text of field.split(",")) {
    const [name, ...parameters] = text.split(";").map((its) => its.trim().toLowerCase());
    const weight = parameters.find((its) => its.startsWith("q="))?.slice(2) ?? "1";
    const value = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
    weights.set(name === "x-gzip" ? "gzip" : name!, value);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get("*") ?? 0;
  // Without a word about it, the file itself is as welcome as can be, and comes after the others all the same.
  const itself = weights.get("identity") ?? 0;
  return codings
    .filter(({ name }) => weightOf(name) > 0 && weightOf(name) >= itself)
    .toSorted((one, other) => weightOf(other.name) - weightOf(one.name));
}

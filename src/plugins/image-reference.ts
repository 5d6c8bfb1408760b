/** The name of a container image -> whether it is well-formed. Pure. */

/** The grammar of https://github.com/distribution/reference: a domain, a path, a tag and a digest. */
const domain =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?$/;
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digest = /^sha256:[0-9a-f]{64}$/;
const longest = 512;

function isPort(text: string): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535;
}

/** A clause; undefined where the image is well-formed: `redis:7`, `ghcr.io/a/b@sha256:…`. */
export function imageMistake(image: string): string | undefined {
  if (image === "") return "is empty";
  if (image.length > longest) return `is longer than ${longest} characters`;
  const [named, ...digests] = image.split("@");
  if (digests.length > 1 || digests.some((its) => !digest.test(its))) {
    return "has a digest that is none; expected sha256: and 64 digits of 0 to 9 and a to f";
  }
  const words = named!.split("/");
  const [last, ...tags] = words.pop()!.split(":");
  if (tags.length > 1 || tags.some((its) => !tag.test(its))) return "has a tag that is none";
  const [first] = words;
  // As Docker tells them apart: a domain has a dot or a port, or is localhost.
  const isDomain = first !== undefined && (/[.:]/.test(first) || first === "localhost");
  const number = isDomain ? first.split(":")[1] : undefined;
  if (isDomain && (!domain.test(first) || (number !== undefined && !isPort(number)))) {
    return "has a registry that is none";
  }
  const path = [...(isDomain ? words.slice(1) : words), last!];
  if (path.every((its) => component.test(its))) return undefined;
  return "has a name that is none; expected lower-case letters and digits with . _ or - between";
}

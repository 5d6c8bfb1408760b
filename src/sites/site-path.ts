/** The path of a request -> the names on the way to a file, or why there is no file with that path. Pure. */

export type SitePath =
  /** `folder`: the path ends with a slash. Without names it is the folder of the site itself. */
  | { kind: "names"; names: readonly string[]; folder: boolean }
  | { kind: "absent" }
  | { kind: "bad"; why: string };

/** NAME_MAX of Linux and macOS, in bytes. */
const longestName = 255;
/** PATH_MAX of Linux, in bytes. */
const longestPath = 4096;

/** RFC 8615: the one hidden folder that sites are asked for by its name. */
const wellKnown = ".well-known";

const absent: SitePath = { kind: "absent" };

/** Settings and histories of programs: `.env`, `.git`. */
export function isHidden(name: string): boolean {
  return name.startsWith(".") && name !== wellKnown;
}

/** `path` is as it was sent, without its query: one character per octet, and it begins with a slash. */
export function sitePath(path: string): SitePath {
  if (path.length > longestPath * 3) return absent;
  const written = path.split("/");
  const folder = written.at(-1) === "";
  const names: string[] = [];
  for (const text of written.slice(1, folder ? -1 : undefined)) {
    const name = decoded(text);
    if (name === undefined) {
      return { kind: "bad", why: "its percent-encoding is not that of a UTF-8 name" };
    }
    if (name.includes("\0")) return { kind: "bad", why: "it has a NUL, which no file's name has" };
    // An empty name: browsers take `//name` at the front of a redirect for another host.
    if (name === "" || isHidden(name) || /[/\\]/.test(name)) return absent;
    if (Buffer.byteLength(name) > longestName) return absent;
    names.push(name);
  }
  if (Buffer.byteLength(names.join("/")) >= longestPath) return absent;
  return { kind: "names", names, folder };
}

/** The names as a path that a link or a redirect can have. */
export function pathOf(names: readonly string[], { folder }: { folder: boolean }): string {
  const path = names.map((name) => `/${encodeURIComponent(name)}`).join("");
  return folder ? `${path}/` : path;
}

/** Undefined where it is no percent-encoded UTF-8. */
function decoded(text: string): string | undefined {
  try {
    // Octets that the client has not encoded are those of UTF-8 as well.
    const octets = text.replace(/[\x80-\xff]/g, (its) => `%${its.charCodeAt(0).toString(16)}`);
    return decodeURIComponent(octets);
  } catch {
    // URIError says no more than that.
    return undefined;
  }
}

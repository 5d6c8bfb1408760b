/** A reference to a buildpack, as a person writes it -> a folder, a repository of git, or an archive. Pure. */
import { absolute } from "../../text/absolute.ts";
import { shown } from "../../text/shown.ts";

export type Reference =
  /** `directory` is absolute. */
  | { kind: "folder"; directory: string }
  | GitReference
  | ArchiveReference
  /** A buildpack that something else brings. */
  | { kind: "id"; id: string; version: string | undefined }
  /** `why`: a sentence for a person. */
  | { kind: "refused"; why: string };

export type GitReference = {
  kind: "git";
  /** Without the part behind #. */
  url: string;
  /** A tag, a branch or a commit. Undefined: the branch that the repository has checked out. */
  ref: string | undefined;
  /** Relative to the root of the repository; empty: the root itself. */
  folder: string;
};

export type ArchiveReference = {
  kind: "archive";
  /** Without the part behind #. */
  url: string;
  /** In hexadecimal: `#sha256=…`. Undefined: whatever the server gives. */
  sha256: string | undefined;
};

const archives = /\.(?:tgz|tar\.gz|tar)$/;

/** As git-check-ref-format(1) has it, and nothing that could be an option. */
const refForm = /^(?!.*\.\.)(?!.*\/\/)(?!.*\.lock$)[A-Za-z0-9_][A-Za-z0-9_./+-]*$/;

/** Kinds of references that pack knows, and this machine has nothing for. */
const others: readonly [RegExp, string][] = [
  [/^docker:|^urn:cnb:registry:|^cnb:/, "is an image"],
  [/^urn:cnb:builder|^from=builder/, "is a part of a builder image"],
  [/\.cnb(?:$|#)/, "is an image in a file"],
];

/** `from`: the absolute folder that a path is relative to. */
export function readReference(text: string, from: string): Reference {
  const refused = (why: string): Reference => ({
    kind: "refused",
    why: `the buildpack ${shown(text)} ${why}`,
  });
  if (text.trim() === "" || text.includes("\0")) return refused("is no folder and no address");
  const other = others.find(([form]) => form.test(text));
  if (other !== undefined) {
    const way =
      'name a folder or a repository of git, or build in an engine: build = { builder = "…" }';
    return refused(`${other[1]}; ${way}`);
  }
  const urn = /^urn:buildpack:([^@]+)(?:@(.+))?$/.exec(text);
  if (urn !== null) return { kind: "id", id: urn[1]!, version: urn[2] };
  if (/^~(?:[\w-]*\/|$)/.test(text)) return refused("begins with ~, which only a shell expands");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase();
  const isScp = /^[\w.-]+@[\w.-]+:/.test(text);
  if (scheme === undefined && !isScp) return { kind: "folder", directory: absolute(text, from) };
  if (scheme === "file") return fileReference(text, refused);
  if (scheme === "https" || scheme === "http") return remoteReference(text, refused);
  return refused(
    "is fetched by no way that is known here; use https://, or clone it and name the folder",
  );
}

type Refusing = (why: string) => Reference;

function fileReference(text: string, refused: Refusing): Reference {
  const path = /^file:(?:\/\/(?:localhost)?)?(\/(?!\/).*)$/i.exec(text)?.[1];
  if (path === undefined)
    return refused("is no file:// address with a whole path, such as file:///srv/node");
  if (path.includes("#")) {
    return refused(
      "has a # in it, and file:// names a folder as it is; check out what you mean there",
    );
  }
  try {
    return { kind: "folder", directory: absolute(decodeURIComponent(path), "/") };
  } catch {
    return refused("has a % that stands for no character");
  }
}

function remoteReference(text: string, refused: Refusing): Reference {
  const url = URL.parse(text);
  if (url === null) return refused("is no address");
  if (url.username !== "" || url.password !== "") {
    const way = "leave it to git's own credential helper (git help credentials)";
    return {
      kind: "refused",
      why: `the address of a buildpack at ${url.host} has a password in it; ${way}`,
    };
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    return refused("would be fetched without encryption; use https://");
  }
  const fragment = url.hash.slice(1);
  url.hash = "";
  if (archives.test(url.pathname)) {
    const sha256 = /^sha256=([0-9a-f]{64})$/.exec(fragment)?.[1];
    if (fragment !== "" && sha256 === undefined) {
      return refused("is an archive, which has no tag; #sha256= and 64 digits may stand behind it");
    }
    return { kind: "archive", url: url.href, sha256 };
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(fragment);
  } catch {
    return refused("has a % that stands for no character");
  }
  const [, ref = "", folder = ""] = /^([^:]*)(?::(.*))?$/s.exec(decoded) ?? [];
  if (ref !== "" && !refForm.test(ref)) return refused("has no tag, branch or commit behind its #");
  const parts = folder.split("/").filter((its) => its !== "" && its !== ".");
  if (parts.includes("..")) return refused("names a folder outside its repository");
  return { kind: "git", url: url.href, ref: ref || undefined, folder: parts.join("/") };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** The versions of a file that a client names -> whether the file is sent. RFC 9110 section 13. Pure. */

/** A field by its lower-case name; several of one name are joined by commas. */
export type Field = (name: string) => string | undefined;

export type Version = {
  /** With its quotes; strong. */
  tag: string;
  /** Milliseconds since the Unix epoch, a whole second: dates of HTTP have no parts of one. */
  modified: number;
};

export type Verdict = "send" | "not modified" | "precondition failed";

/** For GET and HEAD, in the order of section 13.2.2. */
export function verdictOn(field: Field, version: Version): Verdict {
  const match = field("if-match");
  if (match !== undefined) {
    if (!names(match, version.tag, { weakly: false })) return "precondition failed";
  } else {
    const since = dateIn(field("if-unmodified-since"));
    if (since !== undefined && version.modified > since) return "precondition failed";
  }
  const noneMatch = field("if-none-match");
  if (noneMatch !== undefined) {
    return names(noneMatch, version.tag, { weakly: true }) ? "not modified" : "send";
  }
  const since = dateIn(field("if-modified-since"));
  return since !== undefined && version.modified <= since ? "not modified" : "send";
}

/** Whether a range is of the version that the client has a part of. Section 13.1.5. */
export function isSameVersion(ifRange: string | undefined, version: Version): boolean {
  if (ifRange === undefined) return true;
  const text = ifRange.trim();
  if (text.startsWith('"')) return text === version.tag;
  // A weak tag is no proof that bytes are the same, and a date is one only where it is the same.
  return !text.startsWith("W/") && dateIn(text) === version.modified;
}

/** Whether a list of entity tags, or `*`, names this one. */
function names(list: string, tag: string, { weakly }: { weakly: boolean }): boolean {
  if (list.trim() === "*") return true;
  for (const [, weak, its] of list.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (its === tag && (weakly || weak === undefined)) return true;
  }
  return false;
}

/** Milliseconds since the Unix epoch; undefined for what is no date of section 5.6.7, which is ignored. */
export function dateIn(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2,8},? [\w :-]{15,30}$/.test(text.trim()))
    return undefined;
  const its = text.trim();
  const time = Date.parse(its.endsWith(" GMT") ? its : `${its} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

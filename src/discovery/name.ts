/** A process's raw `NAME` -> the DNS name it is reached by, or why it has none. Pure. */
import { isNumeric } from "../text/numeric-label.ts";
import { printable } from "../text/printable.ts";

export type NameVerdict =
  /** Lower-case labels without `.localhost`. */
  | { kind: "name"; name: string }
  /**
   * Listed, but never routed. `text` is the printable NAME, `wrong` a clause about it, `near` the nearest valid name,
   * and `why` both in a sentence for a person.
   */
  | { kind: "unroutable"; text: string; wrong: string; near: string | undefined; why: string }
  /** `NAME` is not meant as a name. */
  | { kind: "none" };

/** Properties of the machine that affect names. */
export type Host = {
  /** The result of `os.hostname()`. */
  hostName: string;
  /** True inside the Windows Subsystem for Linux, which sets `NAME` to the computer's name. */
  wsl: boolean;
};

/** A NAME that is none: its process is to have no name, from wherever. */
export const unwanted = "-";

const ending = ".localhost";

/** RFC 1035 section 2.3.4: 255 octets on the wire, 253 as text; `.localhost` has to fit too. */
const longestName = 253 - ending.length;
const longestLabel = 63;

/** More than the longest valid name, so that a nearly valid one is shown in full. */
const longestText = 300;

const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

function complaint(name: string): string | undefined {
  if (name === "localhost") return "localhost is this machine itself";
  if (name.length > longestName) {
    return `a name has at most ${longestName} characters, this one has ${name.length}`;
  }
  const labels = name.split(".");
  if (labels.some((part) => part === ""))
    return "there is an empty part before, after or between its dots";
  if (labels.at(-1) === "localhost") return "it ends in .localhost twice";
  const long = labels.find((part) => part.length > longestLabel);
  if (long !== undefined) {
    return `a part between dots has at most ${longestLabel} characters, one here has ${long.length}`;
  }
  if (labels.some((part) => !label.test(part))) {
    return "a name is made of letters, digits and inner hyphens";
  }
  if (isNumeric(labels.at(-1)!)) return "clients read it as an IP address";
  return undefined;
}

/** The closest valid name, or undefined if nothing sensible is left. */
function suggestion(name: string): string | undefined {
  const near = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .split(".")
    .map((part) =>
      part
        .replace(/[^a-z0-9]+/g, "-")
        .slice(0, longestLabel)
        .replace(/^-+|-+$/g, ""),
    )
    .filter((part) => part !== "")
    .join(".");
  return near !== "" && near !== name && complaint(near) === undefined ? near : undefined;
}

/**
 * Names are not case-sensitive. `NAME=api.localhost` means `api`: people copy it from their address bar, and nobody
 * wants `api.localhost.localhost`.
 */
export function nameOf(raw: string | undefined, host: Host): NameVerdict {
  if (raw === undefined || raw === "" || raw === unwanted) return { kind: "none" };
  // Only ASCII is folded: toLowerCase() alone would turn the Kelvin sign into a plain k.
  const lower = raw.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  if (host.wsl) {
    const own = host.hostName.toLowerCase();
    if (lower === own || lower === own.split(".")[0]) return { kind: "none" };
  }
  const name =
    lower.length > ending.length && lower.endsWith(ending) ? lower.slice(0, -ending.length) : lower;
  const wrong = complaint(name);
  if (wrong === undefined) return { kind: "name", name };
  const near = suggestion(name);
  const text = printable(raw, longestText);
  return {
    kind: "unroutable",
    // A row with only blanks would be invisible.
    text: text.trim() === "" ? text.replaceAll(/\s/gu, "\\x20") : text,
    wrong,
    near,
    why: `not a usable name: ${wrong}${near === undefined ? "" : `; try NAME=${near}`}`,
  };
}

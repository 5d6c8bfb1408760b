/** A request that the guard refuses -> the text that its client gets. Pure. */
import { type Denied, deedText, ownFile, pageText, waysToAllow } from "../../routes/denial.ts";
import { type Reply, textReply } from "./reply.ts";

/** Text for every client: what is refused is mostly read in a browser's network panel. */
export function denialPage(denied: Denied): Reply {
  const { name, listable, strict, insecure, origin } = denied;
  const [first, ...others] = waysToAllow(denied);
  const why = strict
    ? 'guard = "strict" lets only pages of its own project do that'
    : "pages of other sites may not do that";
  const lines = [
    `403: ${pageText(denied)} ${deedText(denied)} of ${name}: ${why}.`,
    "",
    ...(listable || origin === undefined ? [] : [hidden]),
    ...(origin === undefined ? [silent] : []),
    ...(insecure && !listable ? [secure] : []),
    `To allow it, in ${first!.file}:`,
    "",
    ...[first!, ...others].map(({ line, effect }) => `    ${line}   # ${effect}`),
    "",
    ...(denied.service === undefined
      ? []
      : [`For you alone, or beside a Procfile: ${ownFile(denied)}.`]),
    "localhostess reads that at once. Open the server's own address in a tab, and it answers.",
  ];
  return textReply(403, lines.join("\n"));
}

const hidden =
  "A sandboxed frame, a local file and a redirect by another site hide the origin, so that it cannot be listed; so does the form of a page with Referrer-Policy: no-referrer or same-origin, or of an https page to http. A page of yours passes with Referrer-Policy: origin.";
const silent =
  "The page sent neither Origin nor Referer, as with Referrer-Policy: no-referrer or same-origin, or from https to http. A page of yours passes with Referrer-Policy: origin, or with crossorigin on the element.";
const secure =
  "By https, or at a name under .localhost, browsers say more, and your own pages pass.";

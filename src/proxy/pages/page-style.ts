/** The Content-Security-Policy of our pages, which allows their style by its hash. */
import { pageStyle } from "../../text/page-look.ts";
import { watchScript } from "./watching.ts";

function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("base64");
}

/**
 * The sandbox gives the page an origin of its own, so that no script of the app at the same address can read it through
 * a window that it opened. Everything a person does on the page still works: opening a link in another tab, downloading
 * the PAC file.
 */
const sandbox = "sandbox allow-popups allow-popups-to-escape-sandbox allow-downloads";

function base(formAction: string): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${digestOf(pageStyle)}'`,
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
  ].join("; ");
}

/** No script, form, frame or request to anywhere: markup that slips through escaping cannot do anything. */
export const pagePolicy = `${base("'none'")}; ${sandbox}`;

/**
 * For a page with forms, which no sandbox is around: forms of an origin of its own are taken for another site's. No
 * script runs on it either.
 */
export const formPolicy = base("'self'");

/** For a page that loads itself again: the one script that does so, and its question to the address of the page. */
export const watchPolicy = [
  base("'none'"),
  `script-src 'sha256-${digestOf(watchScript)}'`,
  "connect-src 'self'",
  `${sandbox} allow-scripts`,
].join("; ");

/** The keys that say how requests to a name are treated -> their descriptions, types and errors. Pure. */
import { array, boolean, check, description, optional, picklist, pipe, string } from "valibot";
import { shown } from "../text/shown.ts";
import { readAllowedOrigin } from "./allowed-origin.ts";
import { forwardings, guards } from "./name-settings.ts";
import { readPostPath } from "./post-path.ts";

function expected(words: string) {
  return ({ input }: { input: unknown }): string => `expected ${words}, got ${shown(input)}`;
}

const origin = pipe(
  string(expected('an origin such as "https://example.com"')),
  check(
    (text) => readAllowedOrigin(text).kind === "origin",
    ({ input }) => whyOf(readAllowedOrigin(input)),
  ),
);

const path = pipe(
  string(expected('a path such as "/auth/callback"')),
  check(
    (text) => readPostPath(text).kind === "path",
    ({ input }) => whyOf(readPostPath(input)),
  ),
);

/** The same in a project, in a service, and in config.toml. */
export const settingEntries = {
  guard: optional(
    pipe(
      picklist(guards, expected('"off", "log", "on" or "strict"')),
      description(
        "Requests that pages of other sites make: `on` refuses them, `log` only reports them, `off` lets them pass, and `strict` also refuses those of your other projects.",
      ),
    ),
  ),
  allow_origins: optional(
    pipe(
      array(origin, expected('a list such as ["https://example.com"]')),
      description(
        "Origins of others whose pages may make any request: scheme, host, and the port if it is not the scheme's. `https://*.example.com` is every name under example.com.",
      ),
    ),
  ),
  allow_posts: optional(
    pipe(
      array(path, expected('a list such as ["/auth/callback"]')),
      description(
        "Paths that a page of another site may send its user to with a form, as an OAuth provider does with `response_mode=form_post`.",
      ),
    ),
  ),
  forwarded: optional(
    pipe(
      picklist(forwardings, expected('"all" or "none"')),
      description(
        "`none`: X-Forwarded-* and Forwarded are not sent, for servers that refuse proxies they do not know.",
      ),
    ),
  ),
  strict_subdomains: optional(
    pipe(
      boolean(expected("true or false")),
      description(
        "Only its own name leads to a server: `x.api` does not lead to `api`. Usually it does, unless `x` is a branch or a worktree.",
      ),
    ),
  ),
};

function whyOf(read: { kind: string; why?: string }): string {
  return read.why ?? "";
}

/** A site and its kind of request -> requests that the guard refused, as the page is told of them. */
import type { Denied, DenialKind } from "../../src/routes/denial.ts";
import type { PageServer } from "./page-server.ts";

/** By a page of `https://evil.example`, to the service of a project where one is given. */
export function deny(
  server: PageServer,
  name: string,
  { kind = "request", count = 1, service }: Partial<Denied> & { count?: number; kind?: DenialKind },
): void {
  for (let time = 0; time < count; time++) {
    const denied: Denied = {
      ...{ name, kind, service, origin: "https://evil.example", listable: true, strict: false },
      ...{ method: kind === "form" ? "POST" : "GET", path: "/socket", refused: true },
      ...{ insecure: false, postable: kind === "form", allowOrigins: [], allowPosts: [] },
    };
    server.request(name, { line: `${denied.method} /socket`, status: 403, denied });
  }
}

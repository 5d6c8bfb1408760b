/** A path on `localhost` -> the page at that path. */
import type { UrlPorts } from "../../routes/service-row.ts";
import { nearestName, type RouteTable } from "../../routes/table.ts";
import { errorPage } from "./error-page.ts";
import { frontPage } from "./front-page.ts";
import type { Wants } from "./negotiate.ts";
import { pacPage } from "./pac-page.ts";
import type { Reply } from "./reply.ts";

export type OwnRequest = {
  method: string;
  /** The path without its query; `*` for OPTIONS. */
  path: string;
  wants: Wants;
  /** The result of `hearsDetails`. */
  details: boolean;
  /** The mark of what the front page says; undefined if nobody looks at it. */
  mark?: string | undefined;
};

/** The page with the running services. */
export const frontPath = "/";
const pacPath = "/proxy.pac";

/** The pages that name services: a person who has just started one looks for it there. */
export const namesServices: ReadonlySet<string> = new Set([frontPath, pacPath]);

export type OwnPages = (request: OwnRequest) => Reply;

export type OwnPagesOptions = {
  routes(): RouteTable;
  version: string;
  /** The main port, which the PAC file uses. */
  port: number;
  /** The ports in URLs, for each scheme. */
  urlPorts: UrlPorts;
};

const allow = "GET, HEAD, OPTIONS";

export function ownPages({ routes, version, port, urlPorts }: OwnPagesOptions): OwnPages {
  const urlPort = urlPorts.http;
  return ({ method, path, wants, details, mark }) => {
    if (method === "OPTIONS") return { status: 200, fields: [["Allow", allow]], body: "" };
    if (method !== "GET" && method !== "HEAD") return errorPage({ status: 405, allow }, wants);
    const table = routes();
    if (path === frontPath) {
      return frontPage({
        services: table.services,
        tlds: table.tlds,
        version,
        port,
        urlPort,
        securePort: urlPorts.https,
        wants,
        details,
        mark,
      });
    }
    if (path === pacPath) return pacPage({ port, tlds: table.tlds, names: table.known() });
    return errorPage(
      {
        status: 404,
        name: "localhost",
        path,
        names: table.names,
        nearest: nearestName(path.slice(1), table),
        port: urlPort,
        securePort: urlPorts.https,
      },
      wants,
      { details },
    );
  };
}

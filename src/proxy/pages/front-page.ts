/** The running services -> the page at `http://localhost:9090/`, as HTML, JSON or text. Pure. */
import { counted } from "../../text/counted.ts";
import { placeText } from "../../text/place.ts";
import { printable } from "../../text/printable.ts";
import { byCheckout } from "../../routes/by-checkout.ts";
import type { Service } from "../../routes/service.ts";
import { originOf, secureUrl, serviceRow, serviceUrl } from "../../routes/service-row.ts";
import { dashboardCommand, upCommand } from "./doors.ts";
import { html, type Html } from "../../text/html.ts";
import type { Wants } from "./negotiate.ts";
import { pageReply } from "./page.ts";
import { jsonReply, type Reply, textReply } from "./reply.ts";
import { watchLine } from "./watching.ts";

export type FrontPage = {
  services: readonly Service[];
  version: string;
  /** Domains besides `localhost` that names may end in. */
  tlds: readonly string[];
  /** The main port, which the PAC file uses. */
  port: number;
  /** The port in http URLs. */
  urlPort: number;
  wants: Wants;
  /** The result of `hearsDetails`; without details, the page has names but nothing about processes. */
  details: boolean;
  /** The port in https URLs. */
  securePort: number;
  /** The mark of what the page says, if it may load itself again (`watching.ts`). */
  mark?: string | undefined;
};

function also(service: Service): string {
  const ports = service.ports.filter((port) => port !== service.endpoint.port);
  return ports.length === 0 ? "" : `, also ${ports.map((port) => `:${port}`).join(" ")}`;
}

function processes(service: Service): string {
  const others = service.pids.length - 1;
  if (service.process === undefined) return service.because ?? "";
  return `pid ${service.process.pid}${others > 0 ? ` and ${others} more` : ""}`;
}

/** Said of a worktree's server that a plain name shows. */
function shownAt({ origin, name }: Service): Html | undefined {
  if (origin === undefined || !origin.shown || origin.name === name) return undefined;
  return html` <span class="also">shown at ${origin.name}</span>`;
}

type Shown = Pick<FrontPage, "details" | "urlPort" | "securePort">;

function entry(service: Service, { urlPort, securePort, details }: Shown): Html {
  const secure = `${secureUrl(service.name, securePort)}/`;
  const name = service.routable
    ? html`<span
        ><a class="name" href="${serviceUrl(service.name, urlPort)}/">${service.name}</a>
        <a class="also" href="${secure}" aria-label="${service.name} by https">https</a
        >${shownAt(service)}</span
      >`
    : html`<span class="name">${service.name}</span>`;
  if (!details) return html`<li><div class="row">${name}</div></li> `;
  const reasons =
    service.routable || service.warnings.length > 0
      ? service.warnings
      : ["This name cannot be an address."];
  return html`<li>
    <div class="row">
      ${name}
      <span class="where"
        >${placeText(service.endpoint)}${also(service)} · ${processes(service)}</span
      >
    </div>
    <p class="command">${service.command}</p>
    ${reasons.map((reason) => html`<p class="warning">${reason}</p> `)}
  </li> `;
}

function list(services: readonly Service[], shown: Shown): Html | undefined {
  if (services.length === 0) return undefined;
  return html`<ul class="services">
    ${byCheckout(services).map(({ row }) => entry(row, shown))}
  </ul> `;
}

/** Addresses that a browser with the PAC file can open: `http://api/`, `http://api.test/`. */
function shorter(tlds: readonly string[]): Html[] {
  return ["api", ...tlds.map((tld) => `api.${tld}`)].map(
    (host, index) => html`${index === 0 ? "" : ", "}<code>http://${host}/</code>`,
  );
}

function body(page: FrontPage): Html {
  const { services, tlds, port, urlPort, securePort, details } = page;
  const shown: Shown = { urlPort, securePort, details };
  const routable = services.filter((service) => service.routable);
  const unroutable = services.filter((service) => !service.routable);
  const count = routable.length;
  // Browsers keep this URL for years, and the main port is the one that always exists.
  const pacUrl = `${originOf("localhost", { scheme: "http", port })}/proxy.pac`;
  const opening =
    count === 0
      ? html`<h1>No named server is running</h1>
          <p>
            Start any server with <code>NAME</code> in its environment, and its address appears here
            within seconds.
          </p> `
      : html`<h1>${counted(count, "server")} running</h1> `;
  const watch = watchLine("Servers appear here when they start.", page.mark);
  const others = html`<h2>Running, but the name cannot be an address</h2>
    ${list(unroutable, shown)}`;
  const left = html`<p class="soft">
    This browser does not say whether a person or a script reads this page, so processes are left
    out. <code>localhostess ls</code> shows them.
  </p> `;
  return html`${opening}${watch}${list(routable, shown)}${unroutable.length > 0 ? others : undefined}${details ? undefined : left}
    <h2>Dashboard</h2>
    <p>
      Every server and project with its requests and output, and buttons to start and stop. It shows
      what only you may see, so a command opens it:
    </p>
    <pre>${dashboardCommand}</pre>
    <h2>Start one</h2>
    <pre>
NAME=api bun dev
NAME=web node server.js
NAME=files python3 -m http.server 8000</pre>
    <p>
      The first one is then at <code>${serviceUrl("api", urlPort)}/</code>. There is nothing to
      configure, and any program that listens works. In a folder with a locald.toml or a Procfile,
      this starts all its services:
    </p>
    <pre>${upCommand}</pre>
    <h2>https</h2>
    <p>
      Every name has it, such as <code>${secureUrl("api", securePort)}/</code>. This page is at
      <a href="${originOf("localhost", { scheme: "https", port: securePort })}/"
        >${originOf("localhost", { scheme: "https", port: securePort })}</a
      >. A browser that warns of the certificate does not know the authority yet:
    </p>
    <pre>localhostess trust</pre>
    <h2>Shorter names</h2>
    <p>
      With the address <a href="/proxy.pac">${pacUrl}</a> as its automatic proxy configuration, a
      browser also opens ${shorter(tlds)}. For Chromium, pass it on the command line:
    </p>
    <pre>chromium --proxy-pac-url=${pacUrl}</pre>
    <p>
      In Firefox, enter it under Settings, Network Settings; on macOS, GNOME and Windows, in the
      proxy settings of the system.
    </p>`;
}

function text({ services, urlPort, details }: FrontPage): string {
  if (services.length === 0) return "No named server is running. Start one: NAME=api bun dev";
  return services
    .map((service) => {
      const columns = [
        service.name,
        service.routable ? serviceUrl(service.name, urlPort) : "(no address)",
      ];
      if (details) {
        columns.push(
          placeText(service.endpoint),
          processes(service),
          service.command,
          ...service.warnings.map((warning) => `(${warning})`),
        );
      }
      return columns.map((column) => printable(column)).join("  ");
    })
    .join("\n");
}

export function frontPage(page: FrontPage): Reply {
  if (page.wants === "text") return textReply(200, text(page));
  if (page.wants === "json") {
    // The list contains command lines and folders. No reply has a CORS field, so other origins cannot read it.
    return jsonReply(
      200,
      page.services.map((service) => {
        const row = serviceRow(service, page.urlPort);
        return page.details ? row : { name: row.name, url: row.url };
      }),
    );
  }
  return pageReply({
    status: 200,
    title: "localhostess",
    aside: html`<span>${page.version}</span>`,
    body: body(page),
    watches: page.mark !== undefined,
  });
}

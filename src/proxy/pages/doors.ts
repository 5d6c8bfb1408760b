/** The proxy's ports -> where a person finds the rest: projects, the front page, the dashboard. Pure. */
import { originOf, type Scheme } from "../../routes/service-row.ts";
import { html, type Html } from "../../text/html.ts";

/** The command, and no link: the dashboard is for the owner of the machine, and an address of it signs in once. */
export const dashboardCommand = "localhostess dashboard";

/** The command that starts a project. */
export const upCommand = "localhostess up";

/** The proxy's ports in http URLs and in https URLs. */
export function doors({ port, securePort }: { port: number; securePort: number }): Html {
  const front = (scheme: Scheme, its: number): Html => {
    const url = originOf("localhost", { scheme, port: its });
    return html`<a href="${url}/">${url}</a>`;
  };
  return html`<h2>Start a project</h2>
    <p>In a folder with a locald.toml or a Procfile, this starts its services:</p>
    <pre>${upCommand}</pre>
    <h2>See everything</h2>
    <p>
      ${front("http", port)} and ${front("https", securePort)} list the running servers. The
      dashboard has their requests and output as well, and starts and stops the services of
      projects:
    </p>
    <pre>${dashboardCommand}</pre>`;
}

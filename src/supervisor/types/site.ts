/** `site`: this daemon itself answers with the files of a folder. */
import { type Kind, nothing } from "./kind.ts";

export const site: Kind = {
  launched: (spec) => spec,
  /** Without a port of its own, it is reached through the proxy alone. */
  gives(_spec, { port, url }) {
    if (port !== undefined) {
      return {
        fields: { port: String(port), host: "localhost", url: `http://localhost:${port}` },
        variables: {},
      };
    }
    if (url === undefined) return nothing;
    const { hostname: host, port: its, protocol } = new URL(url);
    const usual = protocol === "https:" ? "443" : "80";
    return { fields: { url, host, port: its || usual }, variables: {} };
  },
};

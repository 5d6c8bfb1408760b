/** `site`: this daemon itself answers with the files of a folder. */
import { type Kind, nothing } from "./kind.ts";

export const site: Kind = {
  launched: (spec) => spec,
  gives(_spec, { port }) {
    if (port === undefined) return nothing;
    return {
      fields: { port: String(port), host: "localhost", url: `http://localhost:${port}` },
      variables: {},
    };
  },
};

/** `exec`, `process`, `worker` and `task`: a command that a shell runs. Pure. */
import { hasPort } from "../../manifest/project.ts";
import { type Kind, nothing } from "./kind.ts";

export const command: Kind = {
  launched: (spec) => spec,
  gives(spec, { port }) {
    if (!hasPort(spec) || port === undefined) return nothing;
    return {
      fields: { port: String(port), host: "localhost", url: `http://localhost:${port}` },
      variables: {},
    };
  },
};

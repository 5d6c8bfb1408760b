/** `container`: our program is the client of an engine, for as long as the container runs. */
import { type Kind, nothing } from "./kind.ts";
import { ordered } from "./ordered.ts";

export const container: Kind = {
  launched: (spec, facts) => ({
    ...ordered(spec, { facts, place: undefined }),
    // Our program is told to end by SIGTERM; the signal for the container is in its order.
    stopSignal: "SIGTERM",
  }),
  gives(_spec, { port }) {
    if (port === undefined) return nothing;
    return {
      fields: { port: String(port), host: "localhost", url: `http://localhost:${port}` },
      variables: {},
    };
  },
};

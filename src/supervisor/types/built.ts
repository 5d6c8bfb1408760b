/** `exec`, `process`, `worker` and `task` with a `build`: our program builds, and is replaced by the command. */
import { command } from "./command.ts";
import type { Kind } from "./kind.ts";
import { ordered } from "./ordered.ts";

export const built: Kind = {
  launched(spec, facts) {
    const { project, directory, machine } = facts;
    const { shell, workdir } = spec;
    const place = machine.buildPlaceOf({ project, directory, service: spec.name });
    const made = ordered(spec, {
      ...{ facts, place: undefined },
      changed: { build: { place, shell, workdir, clean: false } },
    });
    // The process is the command's, from a moment on that nobody sees.
    return { ...made, stopTimeout: spec.stopTimeout };
  },
  gives: (spec, facts) => command.gives(spec, facts),
};

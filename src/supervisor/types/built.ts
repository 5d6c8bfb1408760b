/** `exec`, `process`, `worker` and `task` with a `build`: our program builds, and is replaced by the command. */
import { command } from "./command.ts";
import type { Kind } from "./kind.ts";
import { ordered } from "./ordered.ts";

export const built: Kind = {
  launched(spec, facts) {
    const { project, directory, machine } = facts;
    const { shell, workdir } = spec;
    // Instances run the same build, which is made once.
    const service = spec.instance?.of ?? spec.name;
    const place = machine.builds.of({ project, directory, service });
    const made = ordered(spec, {
      ...{ facts, place: undefined },
      changed: { build: { place, shell, workdir } },
    });
    // The process is the command's, from a moment on that nobody sees.
    return { ...made, stopTimeout: spec.stopTimeout };
  },
  gives: (spec, facts) => command.gives(spec, facts),
};

/** Changes of a project's files -> a line that says which of them wait for `up`. */
/** @jsxImportSource preact */
import { pendingText, upCommand } from "../../routes/pending.ts";
import { waiting } from "./projects.ts";

/** `of`: the project's folder. */
export function Pendings({ of }: { of: string }) {
  return (
    <>
      {waiting.value
        .filter(({ directory }) => directory === of)
        .map(({ project, directory, services }) => (
          <p key={directory} class="warning">
            {project}: {services[0]![1].why}. These wait:{" "}
            {services.map(([name, pending]) => pendingText(name, pending)).join(", ")}. To take
            them: <code>{upCommand(directory)}</code>
          </p>
        ))}
    </>
  );
}

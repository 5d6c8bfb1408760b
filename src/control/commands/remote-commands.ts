/** The commands about other machines: a list of them, and what a person changes. */
import * as v from "valibot";
import { hostMistake, remoteNameMistake } from "../../manifest/remote-place.ts";
import type { Remotes } from "../../remote/remotes.ts";
import { remoteRow } from "../../routes/remote-report.ts";
import { type Backend, type Command, CommandError, command, nothing } from "./command.ts";

const name = v.pipe(
  v.string(),
  v.maxLength(63),
  v.description("the machine's name, the last label of its servers' names"),
);

export const remoteCommands: readonly Command[] = [
  command({
    name: "Remotes",
    method: "GET",
    path: "/v1/remotes",
    summary: "The other machines whose servers have names here, and their connections.",
    answer: "an array of machines, as in `remote --json`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => remotesOf(backend).reports().map(remoteRow),
  }),
  command({
    name: "Remote",
    method: "POST",
    path: "/v1/remote",
    summary: "Adds or removes another machine, or connects to it again now.",
    answer: "an array of machines, as in `remote --json`",
    input: v.strictObject({
      action: v.pipe(v.picklist(["add", "remove", "retry"]), v.description("what to do")),
      name: v.optional(name),
      host: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(300),
          v.description("with `add`: the host as ssh takes it; the name, unless it says otherwise"),
        ),
      ),
      agent: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(107),
          v.description("the path of the ssh agent's socket, for connections from now on"),
        ),
      ),
    }),
    changes: true,
    streams: false,
    run({ action, name, host, agent }, backend) {
      const remotes = remotesOf(backend);
      if (agent?.startsWith("/") === true) remotes.useAgent(agent);
      const mistake = done(action, { name, host, remotes });
      if (mistake !== undefined) throw new CommandError("bad_request", mistake);
      return remotes.reports().map(remoteRow);
    },
  }),
];

function remotesOf({ remotes }: Backend): Remotes {
  if (remotes === undefined) {
    throw new CommandError("unsupported", "this daemon knows of no other machines");
  }
  return remotes;
}

/** @returns a sentence, where it cannot be done. */
function done(
  action: "add" | "remove" | "retry",
  { name, host, remotes }: { name: string | undefined; host: string | undefined; remotes: Remotes },
): string | undefined {
  if (action === "retry") return remotes.retry(name);
  if (name === undefined) return `${action} needs the name of a machine`;
  if (action === "remove") return remotes.remove(name);
  const wanted = host ?? name;
  const mistake = remoteNameMistake(name) ?? hostMistake(wanted);
  return mistake ?? remotes.add({ name, host: wanted });
}

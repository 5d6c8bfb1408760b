/** A server and its project -> whether it is what the project's name means, and the words that it has beside. Pure. */
import { labelFrom } from "../manifest/project-name.ts";
import type { Candidate } from "./inferred-units.ts";

export type Standing = {
  /** Tells it from the others of its folder, over restarts. */
  id: string;
  /** Labels to put in front, the best first. */
  words: readonly string[];
  /** The server may have the project's name as it is. */
  isPlain: boolean;
  /** The lowest of several that begin at once gets the project's name. */
  rank: number;
};

/** They serve the pages themselves, or scripts for those of a framework of another language. */
const bundlers: ReadonlySet<string> = new Set([
  ...["vite", "webpack", "webpack-dev-server", "webpack-cli", "parcel", "esbuild", "rspack"],
]);

/** Scripts that start what a project is about. */
const ownScripts = ["dev", "start", "serve", "develop"];

/** Words that say that something else is what people see. */
const behind =
  /^(?:api|apis|server|backend|back|worker|workers|graphql|rest|rpc|trpc|ws|socket|sockets|websocket|auth|mock|mocks|admin|queue|jobs|cron|proxy|gateway|functions)$/;

/** `script`: the word of the npm script that started it. */
export function standingOf({ server, project }: Candidate, script: string | undefined): Standing {
  const scriptLabel = script === undefined ? undefined : labelFrom(script);
  const words = [
    ...new Set([...(scriptLabel === undefined ? [] : [scriptLabel]), ...server.words]),
  ];
  const id = scriptLabel ?? server.id;
  switch (server.kind) {
    case "main":
      if (project.hasFramework && bundlers.has(server.id)) {
        return { id, words: [...words].reverse(), isPlain: false, rank: 1 };
      }
      return { id, words, isPlain: true, rank: 0 };
    case "data":
      return { id, words, isPlain: false, rank: 3 };
    case "side":
      return { id, words, isPlain: !hasOwn(project, server.id), rank: 2 };
    case "unknown": {
      const isBehind = project.hasPages && words.some((word) => behind.test(word));
      return { id, words, isPlain: !isBehind, rank: 1 };
    }
  }
}

/** The project has a server of its own beside this tool. */
function hasOwn({ scripts, isMixed }: Candidate["project"], tool: string): boolean {
  if (isMixed) return true;
  const program = tool.slice(tool.lastIndexOf("/") + 1);
  return ownScripts.some((name) => scripts[name] !== undefined && !scripts[name].includes(program));
}

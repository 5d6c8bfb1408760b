/**
 * A program that builds, and is ended by SIGKILL at a moment of the build: the phase with which its last argument is
 * written, or the first line of output that has it. Arguments: root, moment, folders of buildpacks.
 */
import { join } from "node:path";
import { buildApp } from "../../src/build/buildpacks/build-app.ts";

const [root, moment, ...buildpacks] = process.argv.slice(2) as [string, string, ...string[]];

const at = (text: string): void => {
  if (text.includes(moment)) process.kill(process.pid, "SIGKILL");
};

const built = await buildApp(
  {
    app: join(root, "app"),
    directory: root,
    place: join(root, "place"),
    cache: join(root, "cache"),
    without: [],
    buildpacks,
    env: { PATH: process.env.PATH!, HOME: root },
    variables: {},
    clean: false,
  },
  {
    phase: (phase, buildpack) => at(`phase ${phase} ${buildpack ?? ""}`),
    write: (line) => at(`line ${line}`),
    signal: new AbortController().signal,
  },
);
console.log(JSON.stringify(built));

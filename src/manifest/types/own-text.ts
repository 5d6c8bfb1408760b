/** A service of a type of its own -> what it runs, in a word or two, in the place of a command. Pure. */
import { buildText } from "./built.ts";
import type { ImageBuild, Own } from "./own.ts";

export function ownText(own: Own, command: string): string {
  const words = command === "" ? [] : [command];
  switch (own.kind) {
    case "postgres":
      return `postgres ${own.major}`;
    case "store":
      return [own.image ?? own.store, ...(own.version === undefined ? [] : [own.version])].join(
        " ",
      );
    case "container":
      return [own.image ?? imageText(own.build), ...words].join(" ");
    case "site":
      return [`files of ${own.path}`, ...words].join(", made by ");
    case "built":
      return command === "" ? buildText(own) : command;
  }
}

function imageText(build: ImageBuild | undefined): string {
  if (build?.kind === "builder") return `the image that ${build.builder} makes`;
  return "the image of its Dockerfile";
}

/** Words that are another program's, behind those of `run`. */
import { expect, test } from "bun:test";
import { withCommandApart } from "../../src/cli/command-apart.ts";

test.each([
  ["container run alpine ls -l --json", "container run alpine -- ls -l --json"],
  ["container run alpine -V", "container run alpine -- -V"],
  [
    "container run -it -p 80 -e A=b --volume .:/x alpine sh -c ls",
    "container run -it -p 80 -e A=b --volume .:/x alpine -- sh -c ls",
  ],
  ["--sandbox ci container run alpine ls -l", "--sandbox ci container run alpine -- ls -l"],
  ["run alpine ls -l", "run alpine -- ls -l"],
  // Options of our own may stand behind a service.
  ["run api --json -- bun test", "run api --json -- bun test"],
  ["run api --json", "run api --json"],
  ["run api", "run api"],
  ["container run --json alpine", "container run --json alpine"],
  ["container --help", "container --help"],
  ["up -f x y", "up -f x y"],
  ["run", "run"],
])("%s", (typed, expected) => {
  expect(withCommandApart(typed.split(" "))).toEqual(expected.split(" "));
});

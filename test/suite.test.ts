/** The lines of a run of tests, of which a file that failed is run again. */
import { expect, test } from "bun:test";
import { FailedFiles } from "./suite.ts";

const failedIn = (text: string): string[] => {
  const files = new FailedFiles();
  for (const line of text.split("\n")) files.line(line);
  return [...files.found];
};

test("a file with a failure, an error between tests or a worker that crashed has failed, and others have not", () => {
  expect(
    failedIn(`bun test v1.4.5 3x PARALLEL

test/a.test.ts:
(pass) one [1.32ms]
(fail) another [0.03ms]

test/b.test.ts:
(pass) one
(skip) (fail) as a title

test/c.test.ts:

# Unhandled error between tests
-------------------------------

test/d.test.ts:
\u001B[31m✗\u001B[39m test/e.test.ts (worker crashed: SIGKILL)

2 tests failed:
(fail) another [0.03ms]
`),
  ).toEqual(["test/a.test.ts", "test/c.test.ts", "test/e.test.ts"]);
});

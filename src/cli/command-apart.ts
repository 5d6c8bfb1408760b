/** Arguments as typed -> the same, with the words of another program behind `--`. Pure. */

/** Options of `run` and `container run` that a word follows. */
const withValue = ["-p", "--publish", "-e", "--env", "-v", "--volume"];

/**
 * `container run alpine ls -l`: what stands behind an image is the command's own, as with `docker run`. Behind the word
 * of `run`, that begins with the first word that is no option.
 */
export function withCommandApart(argv: readonly string[]): readonly string[] {
  const { lead, rest } = split(argv);
  const verbs = rest[0] === "run" ? 1 : rest[0] === "container" && rest[1] === "run" ? 2 : 0;
  if (verbs === 0 || argv.includes("--")) return argv;
  let at = verbs;
  while (rest[at]?.startsWith("-")) at += withValue.includes(rest[at]!) ? 2 : 1;
  const behind = rest[at + 1];
  if (behind === undefined || (verbs === 1 && behind.startsWith("-"))) return argv;
  return [...lead, ...rest.slice(0, at + 1), "--", ...rest.slice(at + 1)];
}

/** `--sandbox ci url api`: the option before the verb, and the rest. */
export function split(argv: readonly string[]): {
  lead: readonly string[];
  rest: readonly string[];
} {
  const [first] = argv;
  if (first === "--sandbox" && argv.length > 2)
    return { lead: argv.slice(0, 2), rest: argv.slice(2) };
  if (first?.startsWith("--sandbox=") && argv.length > 1) {
    return { lead: argv.slice(0, 1), rest: argv.slice(1) };
  }
  return { lead: [], rest: argv };
}

import { expect, test } from "bun:test";
import fc from "fast-check";
import { shellWord } from "../../src/text/shell-words.ts";
import { splitWords } from "../../src/text/split-words.ts";

const cases: readonly (readonly [string, readonly string[]])[] = [
  ["", []],
  ["  \n\t ", []],
  ["redis-server --save ''", ["redis-server", "--save", ""]],
  [`sh -c "echo \\"hi\\" \\$HOME"`, ["sh", "-c", 'echo "hi" $HOME']],
  [`a\\ b 'c d'e"f g"`, ["a b", "c de" + "f g"]],
  [`"a\\b"`, ["a\\b"]],
  ["a \\\n b", ["a", "b"]],
  ["a # not this\nb", ["a", "b"]],
  ["a#b", ["a#b"]],
  ["echo $PORT && exit | cat > x", ["echo", "$PORT", "&&", "exit", "|", "cat", ">", "x"]],
];

test("a command is split as a shell splits it, without expanding anything", () => {
  for (const [command, words] of cases) {
    expect(splitWords(command)).toEqual({ kind: "words", words });
  }
});

test("a quote without an end and a lone backslash are mistakes", () => {
  expect(splitWords("echo 'a").kind).toBe("bad");
  expect(splitWords('echo "a').kind).toBe("bad");
  expect(splitWords("echo a\\").kind).toBe("bad");
});

test("words that are quoted for a shell come back as they were, and sh splits them so, too", () => {
  const word = fc.string({ unit: fc.constantFrom(..."ab \"'\\$`#\n\t*&;é") });
  const words = fc.array(word, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(words, (all) => {
      const command = all.map(shellWord).join(" ");
      expect(splitWords(command)).toEqual({ kind: "words", words: all });
    }),
  );
  for (const [command, expected] of cases.slice(2, 7)) {
    const script = `printf '%s\\0' ${command}`;
    const split = Bun.spawnSync(["env", "HOME=$HOME", "sh", "-c", script]).stdout.toString();
    expect(split.split("\0").slice(0, -1)).toEqual([...expected]);
  }
});

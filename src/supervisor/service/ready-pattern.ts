/** A regular expression and output in pieces -> whether one of its lines matches. */

/** Characters of a line that are looked at. */
const longest = 64 * 1024;

/** ECMA-48 control sequences and operating system commands: colours stand inside the words that people look for. */
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** True from the piece on with which a line matches, also one that is not complete: a prompt has no end. */
export function patternIn(pattern: string): (bytes: Uint8Array) => boolean {
  const wanted = new RegExp(pattern);
  const decoder = new TextDecoder();
  let rest = "";
  let found = false;
  return (bytes) => {
    if (found) return true;
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(/[\r\n]+/);
    rest = lines.at(-1)!.slice(-longest);
    found = lines.some((line) => wanted.test(line.slice(0, longest).replace(escapes, "")));
    return found;
  };
}

/** The text of a shell's start-up file -> the same without the lines of our documentation. Pure. */

/** With blanks around it, and a comment behind it. */
const ours: readonly RegExp[] = [
  /^eval "\$\(localhostess completion (?:bash|zsh)\)"$/,
  /^localhostess completion fish \| source$/,
  /^eval "\$\(localhostess env(?: --shell sh)?\)"$/,
  /^localhostess env(?: --shell fish)? \| source$/,
  /^source <\(localhostess completion (?:bash|zsh)\)$/,
];

export type ShellLines = {
  /** The text that stays; the same where nothing is ours. */
  text: string;
  /** The lines that are ours, as they are written. */
  removed: readonly string[];
  /** Numbers, from 1, of other lines that name our program: their author knows what they are for. */
  others: readonly number[];
};

export function withoutOurs(text: string): ShellLines {
  const removed: string[] = [];
  const others: number[] = [];
  const lines = text.split(/(?<=\n)/);
  const left = lines.filter((line, at) => {
    const bare = line.replace(/\s+#.*$/s, "").trim();
    if (ours.some((form) => form.test(bare))) {
      removed.push(line.trim());
      return false;
    }
    // A comment runs nothing.
    if (/\blocalhostess\b/.test(line) && !/^\s*#/.test(line)) others.push(at + 1);
    return true;
  });
  return { text: left.join(""), removed, others };
}

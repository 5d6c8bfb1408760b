/** Lines as a terminal would get them -> text that is safe to show anywhere: no colours, no controls. Pure. */

/** ECMA-48: CSI, OSC and other string sequences, and escapes of two bytes. */
const escapes =
  // Their ends may be missing, as a line may be cut.
  /\u001b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_](?:[^\u0007\u001b]|\u001b(?!\\))*(?:\u0007|\u001b\\)?|[ -/]*[0-~]?)/g;
const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

export function plainText(text: string): string {
  return text.replace(escapes, "").replaceAll("\t", "    ").replace(controls, "");
}

/** Characters of a line that are shown. */
const longest = 2000;

export function plainLines(lines: readonly { text: string }[]): string[] {
  return lines.map(({ text }) => plainText(text.slice(0, longest)));
}

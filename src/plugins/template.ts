/** A template such as `port {{port}}` -> its parts, or the errors in it. Pure. */
import { shown } from "../text/shown.ts";

export type TemplatePart = { kind: "text"; text: string } | { kind: "name"; name: string };

export type ReadTemplate = { parts: readonly TemplatePart[]; mistakes: readonly string[] };

/** Errors after which nobody looks for more. */
const mostMistakes = 20;

/** `{{name}}` stands for a value, also with spaces inside the braces; `{{"{{"}}` for the two braces themselves. */
export function readTemplate(template: string): ReadTemplate {
  const parts: TemplatePart[] = [];
  const mistakes: string[] = [];
  const put = (text: string): void => {
    if (text !== "") parts.push({ kind: "text", text });
  };
  const literal = '{{"{{"}}';
  for (let at = 0; ;) {
    const open = template.indexOf("{{", at);
    put(template.slice(at, open === -1 ? undefined : open));
    if (open === -1 || mistakes.length === mostMistakes) return { parts, mistakes };
    if (template.startsWith(literal, open)) {
      put("{{");
      at = open + literal.length;
      continue;
    }
    const close = template.indexOf("}}", open);
    if (close === -1) {
      mistakes.push(
        `line ${lineAt(template, open)}: missing }} after "{{"; a literal "{{" is ${literal}`,
      );
      return { parts, mistakes };
    }
    const name = template.slice(open + 2, close).trim();
    if (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) parts.push({ kind: "name", name });
    else
      mistakes.push(`line ${lineAt(template, open)}: expected a name in {{ }}, got ${shown(name)}`);
    at = close + 2;
  }
}

/** Every name has a value. */
export function rendered(
  parts: readonly TemplatePart[],
  values: ReadonlyMap<string, string>,
): string {
  return parts.map((part) => (part.kind === "text" ? part.text : values.get(part.name)!)).join("");
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

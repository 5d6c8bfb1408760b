/** C# source -> its tokens, one after another: what both statements and expressions are read with. */
import { lineOf, type Token, tokensOf } from "./tokens.ts";

export class Cursor {
  protected readonly source: string;
  protected readonly tokens: Token[];
  protected at = 0;
  /** Names that `out` declares in the statement that is read. */
  protected declared: string[] = [];

  constructor(source: string) {
    this.source = source;
    this.tokens = tokensOf(source);
  }

  protected peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!;
    return token;
  }

  protected next(): Token {
    return this.tokens[this.at++]!;
  }

  protected is(text: string): boolean {
    const token = this.peek();
    return token.text === text && token.kind !== "text";
  }

  protected take(text: string): void {
    if (!this.is(text)) throw this.unknown(this.peek(), `instead of ${text}`);
    this.at++;
  }

  protected name(): string {
    const token = this.next();
    if (token.kind !== "name") throw this.unknown(token, "instead of a name");
    return token.text;
  }

  /** One token of a type or of a modifier; a pair of brackets is one. */
  protected skipType(): void {
    const { text } = this.next();
    const closing: Record<string, string> = { "<": ">", "(": ")", "[": "]" };
    const close = closing[text];
    if (close === undefined) return;
    while (!this.is(close)) this.skipType();
    this.take(close);
  }

  /** With the names that `out` declares in it in front. */
  protected scoped(read: () => string): string {
    const outer = this.declared;
    this.declared = [];
    const code = read();
    const names = this.declared;
    this.declared = outer;
    return names.length === 0 ? code : `let ${names.join(", ")};\n${code}`;
  }

  protected unknown({ at }: { at: number }, why = ""): Error {
    return new Error(`unknown C# ${why} at ${lineOf(this.source, at)}`);
  }
}

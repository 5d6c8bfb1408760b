/** Expressions of C# -> expressions of JavaScript, on values as `runtime.ts` has them. */
import { Cursor } from "./cursor.ts";
import { runtime } from "./runtime.ts";

/** Binary operators, loosest first. `is` has patterns to its right, and is read on its own. */
const levels = [
  ["??"],
  ["||"],
  ["&&"],
  ["|"],
  ["&"],
  ["==", "!="],
  ["<", ">", "<=", ">=", "is"],
  ["+", "-"],
  ["*", "/", "%"],
];

/** Types whose static members the runtime has. */
const statics = new Set(Object.keys(runtime.types));

export abstract class Expressions extends Cursor {
  protected abstract block(): string;
  /** Another reader, for an expression in text. */
  protected abstract inside(source: string): Expressions;

  expression(): string {
    const lambda = this.lambda();
    if (lambda !== undefined) return lambda;
    const left = this.conditional();
    const { text } = this.peek();
    if (!["=", "+=", "-=", "??="].includes(text)) return left;
    this.at++;
    return `${left} ${text} ${this.expression()}`;
  }

  /** `x => ...` or `(x, y) => ...`. */
  protected lambda(): string | undefined {
    let parameters: string[] | undefined;
    let length = 0;
    if (this.peek().kind === "name" && this.peek(1).text === "=>") {
      parameters = [this.peek().text];
      length = 1;
    } else if (this.is("(")) {
      let ahead = 1;
      const names: string[] = [];
      for (; this.peek(ahead).kind === "name"; ahead++) {
        names.push(this.peek(ahead).text);
        if (this.peek(ahead + 1).text === ",") ahead++;
      }
      if (this.peek(ahead).text === ")" && this.peek(ahead + 1).text === "=>") {
        parameters = names;
        length = ahead + 1;
      }
    }
    if (parameters === undefined) return undefined;
    this.at += length;
    this.take("=>");
    const head = `(${parameters.map((name, index) => (name === "_" ? `$_${index}` : name)).join(", ")}) =>`;
    if (this.is("{")) return `${head} ${this.scoped(() => this.block())}`;
    return `${head} { ${this.scoped(() => `return ${this.expression()};`)} }`;
  }

  protected conditional(): string {
    const condition = this.binary(0);
    if (!this.is("?")) return condition;
    this.take("?");
    const then = this.expression();
    this.take(":");
    return `(${condition} ? ${then} : ${this.expression()})`;
  }

  protected binary(level: number): string {
    const operators = levels[level];
    if (operators === undefined) return this.range();
    let left = this.binary(level + 1);
    while (operators.includes(this.peek().text) && this.peek().kind !== "text") {
      const { text } = this.next();
      if (text === "is") {
        left = `$.matches(${left}, ($it) => ${this.pattern()})`;
        continue;
      }
      const right = this.binary(level + 1);
      const equal: Record<string, string> = { "==": "$.equal", "!=": "!$.equal" };
      left =
        equal[text] === undefined
          ? `(${left} ${text} ${right})`
          : `${equal[text]}(${left}, ${right})`;
    }
    return left;
  }

  /** `null`, `not null`, `>= 200 and < 300`, `A or B`. */
  protected pattern(): string {
    let code = this.patternPart();
    while (this.is("or") || this.is("and")) {
      const operator = this.next().text === "or" ? "||" : "&&";
      code = `(${code} ${operator} ${this.patternPart()})`;
    }
    return code;
  }

  protected patternPart(): string {
    if (this.is("not")) {
      this.at++;
      return `!(${this.patternPart()})`;
    }
    if (this.is("(")) {
      this.take("(");
      const inside = this.pattern();
      this.take(")");
      return `(${inside})`;
    }
    const { text } = this.peek();
    if (["<", ">", "<=", ">="].includes(text)) {
      this.at++;
      return `($it ${text} ${this.binary(7)})`;
    }
    return `$.equal($it, ${this.binary(7)})`;
  }

  /** `a..b` in an index, where either may be missing; `^1` counts from the end. */
  protected range(): string {
    const from = this.is("..") ? undefined : this.unary();
    if (!this.is("..")) return from!;
    this.take("..");
    const to = this.is("]") ? undefined : this.unary();
    return `$.range(${from}, ${to})`;
  }

  protected unary(): string {
    const { kind, text } = this.peek();
    if (kind === "sign" && ["!", "-", "^", "++", "--"].includes(text)) {
      this.at++;
      const value = this.unary();
      return text === "^" ? `$.fromEnd(${value})` : `${text}${value}`;
    }
    // A cast to a number: characters are their codes.
    if (
      this.is("(") &&
      ["byte", "int", "char"].includes(this.peek(1).text) &&
      this.peek(2).text === ")"
    ) {
      const type = this.peek(1).text;
      this.at += 3;
      return `$.cast("${type}", ${this.unary()})`;
    }
    return this.postfix(this.primary());
  }

  protected postfix(start: string): string {
    let code = start;
    for (;;) {
      if (this.is(".") || this.is("?.")) {
        const optional = this.next().text === "?.";
        const member = JSON.stringify(this.name());
        const call = this.is("(");
        const values = call ? `, [${this.arguments()}]` : "";
        const access = `$.${call ? "call" : "get"}($o, ${member}${values})`;
        code = optional
          ? // All that stands behind `?.` is left out with it.
            `$.maybe(${code}, ($o) => ${this.postfix(access)})`
          : access.replace("$o", () => code);
      } else if (this.is("[")) {
        this.take("[");
        code = `$.at(${code}, ${this.expression()})`;
        this.take("]");
        if (this.is("=")) {
          this.take("=");
          code = code.replace(
            /^\$\.at\((.*)\)$/s,
            (_, inner: string) => `$.put(${inner}, ${this.expression()})`,
          );
        }
      } else if (this.is("(")) {
        code = `${code}(${this.arguments()})`;
      } else if (this.is("++") || this.is("--") || this.is("!")) {
        const { text } = this.next();
        if (text !== "!") code += text;
      } else return code;
    }
  }

  protected postfixOf(start: string): string {
    return this.postfix(start);
  }

  protected arguments(): string {
    this.take("(");
    const values: string[] = [];
    while (!this.is(")")) {
      if (this.is("out")) values.push(this.out());
      else if (this.peek(1).text === ":" && this.peek().kind === "name") {
        this.at += 2;
        continue;
      } else values.push(this.expression());
      if (this.is(",")) this.take(",");
    }
    this.take(")");
    return values.join(", ");
  }

  /** `out var name`, or `out _`: a function that sets it. */
  protected out(): string {
    this.at++;
    if (this.is("_")) {
      this.at++;
      return "() => {}";
    }
    if (this.is("var")) this.at++;
    const name = this.name();
    this.declared.push(name);
    return `($v) => { ${name} = $v; }`;
  }

  protected primary(): string {
    const token = this.next();
    if (token.kind === "text") return JSON.stringify(token.text);
    if (token.kind === "number") return token.text;
    if (token.kind === "interpolated") {
      const pieces = token.pieces.map((piece) =>
        typeof piece === "string"
          ? JSON.stringify(piece)
          : `$.shown(${this.inside(piece.source).expression()})`,
      );
      return `(${pieces.join(" + ")})`;
    }
    if (token.text === "(") {
      const values = [this.expression()];
      while (this.is(",")) {
        this.take(",");
        values.push(this.expression());
      }
      this.take(")");
      return values.length === 1 ? `(${values[0]})` : `[${values.join(", ")}]`;
    }
    if (token.text === "[") return `[${this.list("]")}]`;
    if (token.text === "new") return this.construction();
    if (token.kind !== "name") throw this.unknown(token);
    if (["true", "false", "null"].includes(token.text)) return token.text;
    if (statics.has(token.text)) return `$.types.${token.text}`;
    return token.text === "_" ? "$_" : token.text;
  }

  protected whole(): string {
    return this.expression();
  }

  protected list(close: string): string {
    const values: string[] = [];
    while (!this.is(close)) {
      if (this.is("..")) {
        this.take("..");
        values.push(`...$.all(${this.expression()})`);
      } else values.push(this.expression());
      if (this.is(",")) this.take(",");
    }
    this.take(close);
    return values.join(", ");
  }

  /** `new T { A = x }`, `new T(...)`, `new byte[n]`, `new[] { ... }`. */
  protected construction(): string {
    const type = this.peek().kind === "name" ? this.name() : "";
    while (this.is("<")) this.skipType();
    if (this.is("[")) {
      this.take("[");
      const size = this.is("]") ? undefined : this.expression();
      this.take("]");
      if (!this.is("{")) return `$.array("${type}", ${size})`;
      this.take("{");
      return `[${this.list("}")}]`;
    }
    const values = this.is("(") ? this.arguments() : "";
    if (!this.is("{")) return `$.make("${type}", [${values}])`;
    this.take("{");
    const fields: string[] = [];
    while (!this.is("}")) {
      const name = this.name();
      this.take("=");
      fields.push(`${name}: ${this.expression()}`);
      if (this.is(",")) this.take(",");
    }
    this.take("}");
    return `({ ${fields.join(", ")} })`;
  }
}

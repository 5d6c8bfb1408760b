/**
 * A static class of C# -> a function of JavaScript that makes its static methods, in the small part of the language
 * that tables of test cases are written in. What things of .NET mean is `runtime.ts`; types are skipped.
 */
import { Expressions } from "./expressions.ts";

/** @returns source of a function body: it has `$` (the runtime), and returns an object of static methods. */
export function translate(source: string): string {
  return new Translator(source).classBody();
}

class Translator extends Expressions {
  classBody(): string {
    while (!this.is("class")) this.at++;
    this.at += 2;
    this.take("{");
    const members: string[] = [];
    const names: string[] = [];
    while (!this.is("}")) {
      const { name, code } = this.member();
      names.push(name);
      members.push(code);
    }
    return `${members.join("\n")}\nreturn { ${names.join(", ")} };`;
  }

  /** `private static T Name(...) => expression;`, the same with a block, or a constant. */
  protected member(): { name: string; code: string } {
    const modifiers = ["public", "private", "internal", "static", "const", "readonly"];
    while (
      modifiers.includes(this.peek().text) ||
      this.peek().kind !== "name" ||
      !["(", "="].includes(this.peek(1).text)
    ) {
      this.skipType();
    }
    const name = this.name();
    if (this.is("=")) {
      this.take("=");
      const value = this.expression();
      this.take(";");
      return { name, code: `const ${name} = ${value};` };
    }
    const parameters = this.parameters();
    if (this.is("=>")) {
      this.take("=>");
      const value = this.scoped(() => `return ${this.expression()};`);
      this.take(";");
      return { name, code: `function ${name}(${parameters}) { ${value} }` };
    }
    const block = this.block();
    const star = block.includes("yield ") ? "*" : "";
    return { name, code: `function${star} ${name}(${parameters}) ${block}` };
  }

  protected parameters(): string {
    this.take("(");
    const names: string[] = [];
    while (!this.is(")")) {
      let rest = "";
      while (![",", ")"].includes(this.peek(1).text)) {
        if (this.is("params")) rest = "...";
        this.skipType();
      }
      names.push(rest + this.name());
      if (this.is(",")) this.take(",");
    }
    this.take(")");
    return names.join(", ");
  }

  protected block(): string {
    this.take("{");
    const statements: string[] = [];
    while (!this.is("}")) statements.push(this.statement());
    this.take("}");
    return `{\n${statements.join("\n")}\n}`;
  }

  protected statement(): string {
    return this.scoped(() => this.plainStatement());
  }

  protected plainStatement(): string {
    if (this.is("{")) return this.block();
    switch (this.peek().text) {
      case "return": {
        this.at++;
        const value = this.is(";") ? "" : this.expression();
        this.take(";");
        return `return ${value};`;
      }
      case "yield": {
        this.at += 2;
        const value = this.expression();
        this.take(";");
        return `yield ${value};`;
      }
      case "continue":
      case "break": {
        const { text } = this.next();
        this.take(";");
        return `${text};`;
      }
      case "if": {
        this.at++;
        const condition = this.inParentheses();
        const then = this.statement();
        if (!this.is("else")) return `if (${condition}) { ${then} }`;
        this.at++;
        return `if (${condition}) { ${then} } else { ${this.statement()} }`;
      }
      case "while": {
        this.at++;
        return `while (${this.inParentheses()}) { ${this.statement()} }`;
      }
      case "for": {
        this.at++;
        this.take("(");
        const first = this.simple();
        this.take(";");
        const condition = this.expression();
        this.take(";");
        const step = this.simple();
        this.take(")");
        return `for (${first}; ${condition}; ${step}) { ${this.statement()} }`;
      }
      case "foreach": {
        this.at++;
        this.take("(");
        const target = this.declaration();
        this.take("in");
        const all = this.expression();
        this.take(")");
        return `for (const ${target} of $.all(${all})) { ${this.statement()} }`;
      }
    }
    const code = this.simple();
    this.take(";");
    return `${code};`;
  }

  /** A declaration, an assignment or a call. */
  protected simple(): string {
    if (this.declares()) {
      const target = this.declaration();
      if (!this.is("=")) return `let ${target}`;
      this.take("=");
      return `let ${target} = ${this.expression()}`;
    }
    return this.expression();
  }

  /** Whether a type stands here, with a name behind it. */
  protected declares(): boolean {
    if (this.is("var") || this.is("const")) return true;
    if (this.peek().kind !== "name") return false;
    const from = this.at;
    this.at++;
    if (this.is("<")) {
      while (!this.is(">") && this.peek().kind !== "end") this.at++;
      this.at++;
    }
    while (this.is("[") && this.peek(1).text === "]") this.at += 2;
    if (this.is("?")) this.at++;
    const found = this.peek().kind === "name" && ["=", ";"].includes(this.peek(1).text);
    this.at = from;
    return found;
  }

  /** `var x`, `var (a, b)`, `string? x`. @returns a target of JavaScript. */
  protected declaration(): string {
    if (this.is("const")) this.at++;
    if (this.peek(1).text === "(") {
      this.at += 2;
      const names: string[] = [];
      while (!this.is(")")) {
        const name = this.name();
        names.push(name === "_" ? "" : name);
        if (this.is(",")) this.take(",");
      }
      this.take(")");
      return `[${names.join(", ")}]`;
    }
    while (!["=", ";", "in"].includes(this.peek(1).text)) this.skipType();
    return this.name();
  }

  protected inParentheses(): string {
    this.take("(");
    const code = this.expression();
    this.take(")");
    return code;
  }

  protected inside(source: string): Translator {
    return new Translator(source);
  }
}

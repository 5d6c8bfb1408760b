/** What a plugin answers with: a plan, made step by step, or sentences that say why there is none. */

/** A value that is known now. */
export class Value {
  tag: ValueTag = ValueTag.null;
  text: string = "";
  /** The number's bits, or 1 for true. */
  bits: u64 = 0;
}

/** The cases of `value` in plugin.wit, in its order. */
export enum ValueTag {
  null,
  boolean,
  text,
  signed,
  unsigned,
  float,
  bytes,
  path,
  url,
  datetime,
}

/** A value, or a part of what an earlier step gives. */
export class Input {
  constructor(
    public literal: Value | null,
    public step: string,
    public field: string,
  ) {}
}

export function text(value: string): Input {
  const literal = new Value();
  literal.tag = ValueTag.text;
  literal.text = value;
  return given(literal);
}

export function flag(value: bool): Input {
  const literal = new Value();
  literal.tag = ValueTag.boolean;
  literal.bits = value ? 1 : 0;
  return given(literal);
}

export function whole(value: u64): Input {
  const literal = new Value();
  literal.tag = ValueTag.unsigned;
  literal.bits = value;
  return given(literal);
}

/** A value of the service's own table, as it is. */
export function given(value: Value): Input {
  return new Input(value, "", "");
}

/** A key and its value, as in a service's table of locald.toml: `env.LEVEL` is a key of its table `env`. */
export class Setting {
  constructor(
    public key: string,
    public input: Input,
  ) {}
}

/** The cases of `op` in plugin.wit, in its order. */
export enum OpTag {
  declareService,
  allocatePort,
  ociPull,
  renderTemplate,
  writeFile,
}

/** One step. Each operation uses some of the fields. */
export class Step {
  needs: string[] = [];
  name: string = "";
  /** The service's type, or the template. */
  body: string = "";
  settings: Setting[] = [];
  contents: Input | null = null;

  constructor(
    public id: string,
    public op: OpTag,
  ) {}
}

/** Steps in order, and what they have to be granted. */
export class Plan {
  capabilities: string[] = [];
  steps: Step[] = [];

  /** A free port of this machine, the same each time. */
  allocatePort(id: string, name: string): Input {
    const step = this.add(id, OpTag.allocatePort);
    step.name = name;
    return new Input(null, id, "port");
  }

  /** An image that is there before anything starts. Has to be granted. */
  pullImage(id: string, image: string): Input {
    this.ask("oci-pull");
    const step = this.add(id, OpTag.ociPull);
    step.name = image;
    return new Input(null, id, "image");
  }

  /** A template in which `{{name}}` stands for a setting -> its text. Has to be granted. */
  renderTemplate(id: string, template: string, settings: Setting[]): Input {
    this.ask("render-template");
    const step = this.add(id, OpTag.renderTemplate);
    step.body = template;
    this.set(step, settings);
    return new Input(null, id, "rendered");
  }

  /** A file of the project; `path` is relative to its folder. Has to be granted. */
  writeFile(id: string, path: string, contents: Input): Input {
    this.ask("write-file");
    const step = this.add(id, OpTag.writeFile);
    step.name = path;
    step.contents = contents;
    this.need(step, contents);
    return new Input(null, id, "path");
  }

  /** A service, as if it stood in locald.toml; `type` and `settings` are its keys. */
  declareService(id: string, name: string, type: string, settings: Setting[]): Input {
    const step = this.add(id, OpTag.declareService);
    step.name = name;
    step.body = type;
    this.set(step, settings);
    return new Input(null, id, "name");
  }

  private add(id: string, op: OpTag): Step {
    const step = new Step(id, op);
    this.steps.push(step);
    return step;
  }

  private set(step: Step, settings: Setting[]): void {
    step.settings = settings;
    for (let i = 0; i < settings.length; i++) this.need(step, settings[i].input);
  }

  /** A step that uses what another gives waits for it. */
  private need(step: Step, input: Input): void {
    if (input.literal === null && !step.needs.includes(input.step)) step.needs.push(input.step);
  }

  private ask(capability: string): void {
    if (!this.capabilities.includes(capability)) this.capabilities.push(capability);
  }
}

/** The answer of `apply`. */
export class Answer {
  warnings: string[] = [];
  errors: string[] = [];

  constructor(public plan: Plan | null) {}
}

/** No plan: `error` is shown to the person, behind the service's name. */
export function refuse(error: string): Answer {
  const answer = new Answer(null);
  answer.errors.push(error);
  return answer;
}

/** What a plugin is asked about: a service as a person wrote it. */
import { Value, ValueTag } from "./plan";

/** A key of the service's table; `env.LEVEL` is a key of its table `env`, `args.0` the first of its list `args`. */
export class Key {
  constructor(
    public name: string,
    public value: Value,
  ) {}
}

export class Service {
  /** The project: for names that have to be unique on this machine. */
  workspace: string = "";
  name: string = "";
  /** Its `type`. */
  kind: string = "";
  dependsOn: string[] = [];
  keys: Key[] = [];

  private find(name: string, tag: ValueTag): Value | null {
    for (let i = 0; i < this.keys.length; i++) {
      const key = this.keys[i];
      if (key.name == name) return key.value.tag == tag ? key.value : null;
    }
    return null;
  }

  has(name: string): bool {
    for (let i = 0; i < this.keys.length; i++) if (this.keys[i].name == name) return true;
    return false;
  }

  /** The text of a key, or `otherwise` where it is missing or no text. */
  text(name: string, otherwise: string): string {
    const value = this.find(name, ValueTag.text);
    return value === null ? otherwise : value.text;
  }

  /** A text, or a whole number as it is written: `version = 7` and `version = "7"` are the same. */
  words(name: string, otherwise: string): string {
    const value = this.find(name, ValueTag.signed);
    return value === null ? this.text(name, otherwise) : (<i64>value.bits).toString();
  }

  whole(name: string, otherwise: u64): u64 {
    const value = this.find(name, ValueTag.signed);
    return value === null ? otherwise : value.bits;
  }

  flag(name: string, otherwise: bool): bool {
    const value = this.find(name, ValueTag.boolean);
    return value === null ? otherwise : value.bits != 0;
  }

  /** The key, where it is a text; a key of another kind is a mistake that the plugin has to tell. */
  isText(name: string): bool {
    return this.find(name, ValueTag.text) !== null;
  }

  /** The first key that is none of `known`. */
  unknownKey(known: string[]): string | null {
    for (let i = 0; i < this.keys.length; i++) {
      if (!known.includes(this.keys[i].name)) return this.keys[i].name;
    }
    return null;
  }
}

/** What the program that asks understands, and what the person has granted. */
export class Host {
  irVersions: u32[] = [];
  granted: string[] = [];
}

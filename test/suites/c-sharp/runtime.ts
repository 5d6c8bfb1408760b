/**
 * Members of .NET's types -> what they do to values of JavaScript: strings and characters are strings, arrays of bytes
 * are arrays of numbers, dictionaries are Maps. No more of it than tables of test cases use.
 */

type Value = unknown;
type Member = (self: never, values: never[]) => Value;
/** Where an `out` parameter's value goes. */
type Out = (value: Value) => void;

/** An index from the end. */
class FromEnd {
  readonly back: number;
  constructor(back: number) {
    this.back = back;
  }
}

class Range {
  readonly from: Index | undefined;
  readonly to: Index | undefined;
  constructor(from: Index | undefined, to: Index | undefined) {
    this.from = from;
    this.to = to;
  }
}

type Index = number | FromEnd;

/** Names that compare without case, as a Dictionary of fields does. */
export class Fields extends Map<string, string> {
  override get(name: string): string | undefined {
    return super.get(name.toLowerCase());
  }
  override set(name: string, value: string): this {
    return super.set(name.toLowerCase(), value);
  }
  override has(name: string): boolean {
    return super.has(name.toLowerCase());
  }
}

class Builder {
  text = "";
}

/** A StatusCodeRange. */
type Statuses = { from: number; to: number };

const ignoringCase = "OrdinalIgnoreCase";

const folded = (text: string, how: Value): string =>
  how === ignoringCase ? text.toLowerCase() : text;

const trimmed = (
  text: string,
  { set, start, end }: { set: string[]; start: boolean; end: boolean },
) => {
  const drop = (at: number): boolean =>
    set.length === 0 ? /\s/.test(text[at]!) : set.includes(text[at]!);
  let from = 0;
  let to = text.length;
  while (start && from < to && drop(from)) from++;
  while (end && to > from && drop(to - 1)) to--;
  return text.slice(from, to);
};

const texts: Record<string, (text: string, values: never[]) => Value> = {
  Contains: (text, [part, how]) => folded(text, how).includes(folded(part!, how)),
  StartsWith: (text, [part, how]) => folded(text, how).startsWith(folded(part!, how)),
  EndsWith: (text, [part, how]) => folded(text, how).endsWith(folded(part!, how)),
  Equals: (text, [other, how]) => folded(text, how) === folded(other!, how),
  IndexOf: (text, [part, from]) => text.indexOf(part!, typeof from === "number" ? from : 0),
  Trim: (text, set) => trimmed(text, { set, start: true, end: true }),
  TrimStart: (text, set) => trimmed(text, { set, start: true, end: false }),
  TrimEnd: (text, set) => trimmed(text, { set, start: false, end: true }),
  ToString: (text) => text,
  ToLowerInvariant: (text) => text.toLowerCase(),
  ToUpperInvariant: (text) => text.toUpperCase(),
  Replace: (text, [old, other]) => text.replaceAll(old!, other!),
  Split: (text, [by, how]) =>
    text.split(by!).filter((part) => how !== "RemoveEmptyEntries" || part !== ""),
};

const lists: Record<string, (list: Value[], values: never[]) => Value> = {
  Any: (list, [holds]) => list.some((it) => holds === undefined || (holds as Holds)(it)),
  All: (list, [holds]) => list.every((it) => (holds! as Holds)(it)),
  Count: (list, [holds]) => list.filter((it) => (holds! as Holds)(it)).length,
  Where: (list, [holds]) => list.filter((it) => (holds! as Holds)(it)),
  Select: (list, [made]) => list.map((it) => (made! as (it: Value) => Value)(it)),
  Concat: (list, [more]) => [...list, ...(more! as Value[])],
  ToArray: (list) => [...list],
  ToList: (list) => [...list],
  Add: (list, [it]) => void list.push(it),
  CopyTo: (list, [into, at]) => {
    for (const [index, it] of list.entries()) (into! as Value[])[at! + index] = it;
  },
};

type Holds = (it: Value) => boolean;

const maps: Record<string, (map: Map<Value, Value>, values: never[]) => Value> = {
  TryGetValue: (map, [key, out]) => {
    (out! as Out)(map.get(key));
    return map.has(key);
  },
  ContainsKey: (map, [key]) => map.has(key),
};

const builders: Record<string, (builder: Builder, values: never[]) => Value> = {
  Append: (builder, [text]) => {
    builder.text += text;
    return builder;
  },
  ToString: (builder) => builder.text,
};

/** ASCII as .NET encodes it: whatever is not ASCII becomes a question mark. */
const ascii = (text: string): number[] =>
  [...text].map((letter) => (letter.charCodeAt(0) < 128 ? letter.charCodeAt(0) : 63));

const latin1 = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0) & 255);

const encoding = (encode: (text: string) => number[]) => ({
  GetBytes: encode,
  GetByteCount: (text: string) => encode(text).length,
});

/** Values of an enumeration are their names. */
const names = new Proxy<Record<string, string>>({}, { get: (_, name) => String(name) });

const types: Record<string, Value> = {
  string: {
    Join: (between: string, parts: string[]) => parts.join(between),
    IsNullOrEmpty: (text: string | null) => (text ?? "") === "",
    IsNullOrWhiteSpace: (text: string | null) => (text ?? "").trim() === "",
    Equals: (a: string, b: string, how?: string) => folded(a, how) === folded(b, how),
  },
  int: {
    TryParse: (text: string, ...rest: Value[]) => {
      const value = /^\s*[\da-f]+\s*$/i.test(text)
        ? Number.parseInt(text, rest.length > 1 ? 16 : 10)
        : Number.NaN;
      (rest.at(-1) as Out)(value);
      return !Number.isNaN(value);
    },
  },
  Encoding: {
    ASCII: encoding(ascii),
    Latin1: encoding(latin1),
    UTF8: encoding((text) => [...Buffer.from(text)]),
  },
  // IMF-fixdate is the only format that a case asks for.
  DateTime: {
    TryParseExact: (text: string) =>
      /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(text),
  },
  Enumerable: {
    Range: (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i),
    Repeat: (value: Value, count: number) => Array.from({ length: count }, () => value),
  },
  StatusCodeRange: {
    Exact: (code: number): Statuses => ({ from: code, to: code }),
    Range: (from: number, to: number): Statuses => ({ from, to }),
    Range2xx: { from: 200, to: 299 },
    Range4xx: { from: 400, to: 499 },
    Range4xxOr5xx: { from: 400, to: 599 },
  },
  TimeSpan: {
    FromMilliseconds: (count: number) => count,
    FromSeconds: (count: number) => count * 1_000,
    Zero: 0,
  },
  Math: { Min: Math.min, Max: Math.max },
  char: { IsDigit: (letter: string) => /\d/.test(letter) },
  System: { Globalization: { CultureInfo: names, DateTimeStyles: names, NumberStyles: names } },
  Array: { Empty: () => [] },
};
for (const name of ["TestCategory", "TestVerdict", "RfcLevel", "ConnectionState"])
  types[name] = names;
for (const name of ["StringComparison", "StringSplitOptions"]) types[name] = names;

const made: Record<string, (values: never[]) => Value> = {
  string: ([letter, count]) => String(letter).repeat(count!),
  List: () => [],
  Dictionary: () => new Map(),
  StringBuilder: () => new Builder(),
  // A case wants any octets that are no HTTP; which ones .NET makes of its seed is not ours to repeat.
  Random: () => ({
    NextBytes: (into: number[]) => {
      for (let i = 0; i < into.length; i++) into[i] = (i * 167 + 89) % 256;
    },
  }),
};

const place = (index: Index, length: number): number =>
  index instanceof FromEnd ? length - index.back : index;

const tableOf = (self: Value): Record<string, Member> => {
  const table =
    typeof self === "string"
      ? texts
      : Array.isArray(self)
        ? lists
        : self instanceof Map
          ? maps
          : self instanceof Builder
            ? builders
            : {};
  return table as Record<string, Member>;
};

/** What translated code calls `$`. */
export const runtime = {
  types,
  call(self: Value, name: string, values: never[]): Value {
    const member = tableOf(self)[name];
    if (member !== undefined) return member(self as never, values);
    const own = (self as Record<string, unknown>)[name];
    if (typeof own === "function") return own(...values);
    if (name === "ToString") return runtime.shown(self);
    throw new Error(`${name} of ${typeof self} is not known`);
  },
  get(self: Value, name: string): Value {
    const length = (self as { length?: number }).length;
    if ((name === "Length" || name === "Count") && length !== undefined) return length;
    if (name === "Value" && typeof self !== "object") return self;
    return (self as Record<string, unknown>)[name] ?? null;
  },
  maybe: (self: Value, read: (self: Value) => Value): Value =>
    self === null || self === undefined ? null : read(self),
  at(self: string | Value[] | Map<Value, Value>, index: Value): Value {
    if (self instanceof Map) return self.get(index);
    if (!(index instanceof Range)) return self[place(index as Index, self.length)] ?? null;
    const from = index.from === undefined ? 0 : place(index.from, self.length);
    return self.slice(from, index.to === undefined ? self.length : place(index.to, self.length));
  },
  put(self: Value[] | Map<Value, Value>, index: Value, value: Value): Value {
    if (self instanceof Map) self.set(index, value);
    else self[index as number] = value;
    return value;
  },
  equal: (a: Value, b: Value): boolean => (a ?? null) === (b ?? null),
  matches: (value: Value, holds: (value: Value) => boolean): boolean => holds(value ?? null),
  range: (from?: Index, to?: Index): Range => new Range(from, to),
  fromEnd: (back: number): FromEnd => new FromEnd(back),
  all: (self: Iterable<Value>): Iterable<Value> =>
    self instanceof Map
      ? [...self].map(([Key, Value]) => Object.assign([Key, Value], { Key, Value }))
      : self,
  cast: (type: string, value: Value): Value =>
    type === "char"
      ? String.fromCharCode(value as number)
      : typeof value === "string"
        ? value.charCodeAt(0)
        : value,
  array: (type: string, size: number): Value[] =>
    Array.from({ length: size }, () => (type === "byte" ? 0 : null)),
  make(type: string, values: never[]): Value {
    const make = made[type];
    if (make === undefined) throw new Error(`new ${type} is not known`);
    return make(values);
  },
  shown: (value: Value): string => (value === null || value === undefined ? "" : String(value)),
};

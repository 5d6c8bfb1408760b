/**
 * A plugin -> the two functions of plugin.wit.
 *
 * The component model says how its values lie in memory (CanonicalABI.md of WebAssembly/component-model): a record's
 * fields in order, each at a multiple of its alignment; a variant's case first. Texts are UTF-16, as AssemblyScript's
 * own are, so that neither way copies a text. Nothing is freed: an instance answers one call.
 */
import { Answer, Input, OpTag, Setting, Step, Value, ValueTag } from "./plan";
import { Host, Key, Service } from "./service";

export abstract class Plugin {
  /** A sentence where the plugin knows the service's kind; null where it does not. */
  abstract detect(service: Service): string | null;
  abstract apply(service: Service, host: Host): Answer;
}

let plugin: Plugin | null = null;

/** The plugin that this component is. Once, in its own file. */
export function serve(one: Plugin): void {
  plugin = one;
}

export function cabi_realloc(old: usize, oldSize: usize, _align: usize, size: usize): usize {
  const fresh = heap.alloc(size);
  if (oldSize > 0) memory.copy(fresh, old, min(oldSize, size));
  return fresh;
}

export function detect(
  workspace: usize,
  workspaceLength: u32,
  _root: usize,
  _rootLength: u32,
  name: usize,
  nameLength: u32,
  kind: usize,
  kindLength: u32,
  dependsOn: usize,
  dependsOnLength: u32,
  config: usize,
  configLength: u32,
): usize {
  const service = new Service();
  service.workspace = readText(workspace, workspaceLength);
  service.name = readText(name, nameLength);
  service.kind = readText(kind, kindLength);
  service.dependsOn = readTexts(dependsOn, dependsOnLength);
  service.keys = readKeys(config, configLength);
  const sentence = plugin!.detect(service);
  const at = heap.alloc(12);
  store<u8>(at, sentence === null ? 0 : 1);
  if (sentence !== null) writeText(at + 4, sentence);
  return at;
}

export function apply(
  workspace: usize,
  workspaceLength: u32,
  _root: usize,
  _rootLength: u32,
  irVersions: usize,
  irVersionsLength: u32,
  granted: usize,
  grantedLength: u32,
  name: usize,
  nameLength: u32,
  kind: usize,
  kindLength: u32,
  dependsOn: usize,
  dependsOnLength: u32,
  config: usize,
  configLength: u32,
): usize {
  const service = new Service();
  service.workspace = readText(workspace, workspaceLength);
  service.name = readText(name, nameLength);
  service.kind = readText(kind, kindLength);
  service.dependsOn = readTexts(dependsOn, dependsOnLength);
  service.keys = readKeys(config, configLength);
  const host = new Host();
  for (let i: u32 = 0; i < irVersionsLength; i++) {
    host.irVersions.push(load<u32>(irVersions + i * 4));
  }
  host.granted = readTexts(granted, grantedLength);
  return writeAnswer(plugin!.apply(service, host));
}

// Sizes in bytes of what stands in lists.
const textSize: usize = 8;
const keySize: usize = 24;
const settingSize: usize = 32;
const stepSize: usize = 56;

function readText(at: usize, length: u32): string {
  return String.UTF16.decodeUnsafe(at, (<usize>length) << 1);
}

function readTexts(at: usize, length: u32): string[] {
  const texts: string[] = [];
  for (let i: u32 = 0; i < length; i++) {
    const one = at + <usize>i * textSize;
    texts.push(readText(load<u32>(one), load<u32>(one + 4)));
  }
  return texts;
}

function readKeys(at: usize, length: u32): Key[] {
  const keys: Key[] = [];
  for (let i: u32 = 0; i < length; i++) {
    const one = at + <usize>i * keySize;
    keys.push(new Key(readText(load<u32>(one), load<u32>(one + 4)), readValue(one + 8)));
  }
  return keys;
}

function readValue(at: usize): Value {
  const value = new Value();
  value.tag = <ValueTag>load<u8>(at);
  switch (value.tag) {
    case ValueTag.null:
    case ValueTag.bytes:
      break;
    case ValueTag.boolean:
      value.bits = load<u8>(at + 8);
      break;
    case ValueTag.signed:
    case ValueTag.unsigned:
    case ValueTag.float:
      value.bits = load<u64>(at + 8);
      break;
    default:
      value.text = readText(load<u32>(at + 8), load<u32>(at + 12));
  }
  return value;
}

function writeText(at: usize, text: string): void {
  store<u32>(at, changetype<usize>(text));
  store<u32>(at + 4, text.length);
}

/** The items' own place, `size` bytes for each; the list itself is written to `at`. */
function writeList(at: usize, length: i32, size: usize): usize {
  const items = heap.alloc(<usize>length * size);
  store<u32>(at, items);
  store<u32>(at + 4, length);
  return items;
}

function writeTexts(at: usize, texts: string[]): void {
  const items = writeList(at, texts.length, textSize);
  for (let i = 0; i < texts.length; i++) writeText(items + <usize>i * textSize, texts[i]);
}

function writeValue(at: usize, value: Value): void {
  store<u8>(at, <u8>value.tag);
  switch (value.tag) {
    case ValueTag.null:
      break;
    case ValueTag.boolean:
      store<u8>(at + 8, <u8>value.bits);
      break;
    case ValueTag.signed:
    case ValueTag.unsigned:
    case ValueTag.float:
      store<u64>(at + 8, value.bits);
      break;
    default:
      writeText(at + 8, value.text);
  }
}

function writeInput(at: usize, input: Input): void {
  const literal = input.literal;
  store<u8>(at, literal === null ? 1 : 0);
  if (literal !== null) {
    writeValue(at + 8, literal);
    return;
  }
  writeText(at + 8, input.step);
  // One segment: the field's name.
  const segment = writeList(at + 16, 1, 12);
  store<u8>(segment, 0);
  writeText(segment + 4, input.field);
}

function writeSettings(at: usize, settings: Setting[]): void {
  const items = writeList(at, settings.length, settingSize);
  for (let i = 0; i < settings.length; i++) {
    const item = items + <usize>i * settingSize;
    writeText(item, settings[i].key);
    writeInput(item + 8, settings[i].input);
  }
}

function writeStep(at: usize, step: Step): void {
  writeText(at, step.id);
  writeTexts(at + 8, step.needs);
  store<u8>(at + 16, <u8>step.op);
  const op = at + 24;
  switch (step.op) {
    case OpTag.declareService:
      writeText(op, step.name);
      writeText(op + 8, step.body);
      writeSettings(op + 16, step.settings);
      break;
    case OpTag.renderTemplate:
      writeText(op, step.body);
      writeSettings(op + 8, step.settings);
      break;
    case OpTag.writeFile:
      writeText(op, step.name);
      writeInput(op + 8, step.contents!);
      break;
    default:
      writeText(op, step.name);
  }
}

function writeAnswer(answer: Answer): usize {
  const at = heap.alloc(24);
  const plan = answer.plan;
  store<u8>(at, plan === null ? 1 : 0);
  if (plan === null) {
    writeTexts(at + 4, answer.warnings);
    writeTexts(at + 12, answer.errors);
    return at;
  }
  store<u32>(at + 4, 1);
  writeTexts(at + 8, plan.capabilities);
  const steps = writeList(at + 16, plan.steps.length, stepSize);
  for (let i = 0; i < plan.steps.length; i++) writeStep(steps + <usize>i * stepSize, plan.steps[i]);
  return at;
}

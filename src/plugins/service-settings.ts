/** The settings of a planned service -> the table that a file would have, or every mistake in them. Pure. */
import { layerOf } from "../manifest/layer.ts";
import { commandTypes, type NewType } from "../manifest/types/own.ts";
import { type OwnKey, typesWith } from "../manifest/types/own-keys.ts";
import { pathText } from "../manifest/toml.ts";
import { listed } from "../text/list.ts";
import { shown } from "../text/shown.ts";
import { type Outputs, type Plain, plainOf, settingOf } from "./evaluate.ts";
import { imageMistake } from "./image-reference.ts";
import type { Entries, Expression } from "./plan.ts";
import { settingsTable } from "./settings-table.ts";

export type SettingsOptions = { type: NewType; outputs: Outputs };

/** The table of a service. The settings have no mistakes. */
export function serviceTable(
  settings: Entries,
  { type, outputs }: SettingsOptions,
): Record<string, unknown> {
  const plain = settings.map(([key, its]) => [key, settingOf(key, plainOf(its, outputs))] as const);
  return { type, ...settingsTable(plain).table };
}

/** Sentences without the step's name. Every reference in the settings leads somewhere. */
export function settingMistakes(
  settings: Entries,
  { type, outputs }: SettingsOptions,
): readonly string[] {
  const found: { index: number; what: string }[] = [];
  const plain = settings.map(([key, its]): [string, Plain] => [
    key,
    settingOf(key, plainOf(its, outputs)),
  ]);
  for (const [index, [, value]] of plain.entries()) {
    if (value !== undefined && !(value instanceof Uint8Array)) continue;
    found.push({ index, what: `${kindText(settings[index]![1])} is no value of a service` });
  }
  const usable = plain.map(([key, value]) => [key, value] as const);
  const { table, mistakes } = settingsTable(usable);
  found.push(...mistakes);
  const isBad = (key: string): boolean =>
    found.some(({ index }) => rootOf(plain[index]![0]) === key);
  const whole = Object.fromEntries(Object.entries(table).filter(([key]) => !isBad(key)));
  const own = ofType(whole, { type, settings });
  const isTold = ({ index, key }: Found): boolean =>
    key === "image" && own.some((its) => its.index === index);
  // An image has one sentence, the one that says what is wrong with it.
  found.push(...ofSchema(whole, { type, settings }).filter((its) => !isTold(its)), ...own);
  const texts = found
    .sort((one, other) => one.index - other.index)
    .map(({ index, what, key }: Found) => {
      const [name, its] = settings[index]!;
      if (its.kind === "literal") return `setting ${shown(key ?? name)}: ${what}`;
      // The port that it has here is none that it will have.
      const isNumber = typeof plainOf(its, outputs) === "number";
      const why = isNumber ? what.replace(/, got [0-9]+$/, ", got a number") : what;
      return `setting ${shown(key ?? name)} (from step ${shown(its.stepId)}): ${why}`;
    });
  return [...texts, ...missing(table, type)];
}

type Found = { index: number; what: string; key?: string };
type Typed = { type: NewType; settings: Entries };

/** Values whose form a file could not have either. */
function ofSchema(table: Record<string, unknown>, { type, settings }: Typed): Found[] {
  const { type: _, plugin: __, ...own } = table;
  const value = { services: { service: { type, ...own } } };
  const { mistakes } = layerOf({ value, placeOf: () => ({ line: 1, column: 1 }) }, "the plan");
  return mistakes.map(({ path, what }) => {
    const within = path.slice(2);
    const exact = settings.findIndex(([key]) => key === within.join("."));
    const index = exact === -1 ? settings.findIndex(([key]) => rootOf(key) === within[0]) : exact;
    return { index: Math.max(index, 0), what, key: pathText(within) };
  });
}

/** Values that another type has, or that only a person sets. */
function ofType(table: Record<string, unknown>, { type, settings }: Typed): Found[] {
  return Object.keys(table).flatMap((key): Found[] => {
    const index = settings.findIndex(([its]) => rootOf(its) === key);
    if (key === "type") return [{ index, what: "the runtime is the type" }];
    if (key === "plugin") return [{ index, what: "a plugin cannot ask another one" }];
    const image = table[key];
    // An image of another step is looked at there.
    if (key === "image" && typeof image === "string" && settings[index]![1].kind === "literal") {
      const why = imageMistake(image);
      if (why !== undefined) return [{ index, what: `the image ${shown(image)} ${why}` }];
    }
    const types = Object.hasOwn(typesWith, key) ? typesWith[key as OwnKey] : undefined;
    if (types === undefined || types.includes(type)) return [];
    const only = listed(
      types.map((its) => JSON.stringify(its)),
      { conjunction: "or" },
    );
    return [{ index, what: `only for a service of type ${only}` }];
  });
}

/** Values without which a file would be refused. */
function missing(table: Record<string, unknown>, type: NewType): string[] {
  const isCommand = (commandTypes as readonly string[]).includes(type);
  if (isCommand && !Object.hasOwn(table, "command") && !Object.hasOwn(table, "build")) {
    return ['setting "command" is missing'];
  }
  if (type !== "container" || Object.hasOwn(table, "image") || Object.hasOwn(table, "build"))
    return [];
  return ['setting "image" is missing'];
}

function kindText(its: Expression): string {
  if (its.kind === "get") return "it";
  if (its.value.kind === "signed" || its.value.kind === "unsigned")
    return `the number ${its.value.value}`;
  if (its.value.kind === "float") return `the number ${its.value.value}`;
  return its.value.kind;
}

function rootOf(key: string): string {
  return key.split(".", 1)[0]!;
}

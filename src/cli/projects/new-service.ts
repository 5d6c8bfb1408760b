/** The words of `add` and `service add` -> the service that they mean, or the errors in them. Pure. */
import type { NewService } from "../../manifest/edit.ts";
import { addressMistake, serviceNameMistake } from "../../manifest/project-name.ts";
import { commandTypes, type NewType, newTypes } from "../../manifest/types/own.ts";
import { usualMajor } from "../../manifest/types/usual.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { shown } from "../../text/shown.ts";

export type AddFlags = {
  port?: string;
  type?: NewType;
  build?: string;
  json?: boolean;
};

/** `words`: a command, an image and its command, a folder, or a version, by the type. */
export type Added = { name: string; words: readonly string[] };

/** The words that each type has, besides its name. */
type Form = "command" | "image" | "folder" | "version";

function formOf(type: NewType): Form {
  if ((commandTypes as readonly string[]).includes(type)) return "command";
  if (type === "container") return "image";
  return type === "site" ? "folder" : "version";
}

const examples: Readonly<Record<Form, (name: string) => string>> = {
  command: (name) => `a command is required: localhostess add ${name} -- bun dev`,
  image: (name) =>
    `an image is required: localhostess service add container ${name} redis:7 --port 6379`,
  folder: (name) => `a folder is required: localhostess service add site ${name} dist`,
  version: () => "",
};

const withAddress: readonly NewType[] = [
  ...["exec", "process", "container", "site", "minio", "mailpit"].filter(isNewType),
];

function isNewType(word: string): word is NewType {
  return (newTypes as readonly string[]).includes(word);
}

export type MeantService =
  | { kind: "service"; service: NewService & { type: NewType } }
  | { kind: "mistakes"; mistakes: string[] };

export function newService(
  { name, words }: Added,
  { type = "exec", port: portText, build }: AddFlags,
): MeantService {
  const form = formOf(type);
  const hasPort = type !== "worker" && type !== "task";
  const port = portText === undefined ? undefined : Number(portText);
  const wrongName =
    serviceNameMistake(name) ?? (withAddress.includes(type) ? addressMistake(name) : undefined);
  const [first, ...more] = words;
  const mistakes = [
    ...(form !== "version" && first === undefined ? [examples[form](name)] : []),
    ...(form === "version" && (more.length > 0 || (first !== undefined && !/^\d/.test(first)))
      ? [`a ${type} has no command; only its version may follow the name`]
      : []),
    ...(form === "folder" && more.length > 0 ? ["a site has one folder"] : []),
    ...(portText !== undefined && !(/^\d{1,5}$/.test(portText) && port! >= 1 && port! <= 65_535)
      ? [`--port: expected a number from 1 to 65535, got ${shown(portText)}`]
      : []),
    ...(wrongName === undefined ? [] : [`${JSON.stringify(name)}: ${wrongName}`]),
    ...(!hasPort && port !== undefined
      ? [`--port: a ${type} has no port; only an exec service has one`]
      : []),
    ...(build !== undefined && form !== "folder" && form !== "command"
      ? [`--build: a ${type} is not built; only a command is, and the files of a site`]
      : []),
  ];
  if (mistakes.length > 0) return { kind: "mistakes", mistakes };
  // Data of one major is of no use to another, so that the file says which it is.
  const asked = first ?? (type === "postgres" ? String(usualMajor) : undefined);
  const keys =
    form === "command"
      ? { command: shellCommand(words), build }
      : form === "image"
        ? { image: first, command: more.length === 0 ? undefined : shellCommand(more) }
        : form === "folder"
          ? { path: first, build }
          : { version: asked !== undefined && /^\d+$/.test(asked) ? Number(asked) : asked };
  return { kind: "service", service: { name, type, ...keys, port } };
}

/** A name that no service has -> the error, with the nearest name. */
import { didYouMean } from "../../text/nearest.ts";
import type { Service } from "../../routes/service.ts";
import { CommandError } from "./command.ts";

export function noService(name: string, services: readonly Service[]): CommandError {
  const names = services.map((its) => its.name);
  const hint = didYouMean(name, names);
  return new CommandError("not_found", `no service is named ${JSON.stringify(name)}${hint}`);
}

export function noLog(name: string, services: readonly Service[]): CommandError {
  if (!services.some((its) => its.name === name)) return noService(name, services);
  const why = `${name} was not started from here, so what it prints is in its own terminal`;
  return new CommandError("unsupported", why);
}

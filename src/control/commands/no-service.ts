/** A name that no service has -> the error, with the nearest name. */
import { noServiceText } from "../../routes/named.ts";
import type { Service } from "../../routes/service.ts";
import { CommandError } from "./command.ts";

export function noService(name: string, services: readonly Service[]): CommandError {
  const names = services.map((its) => its.name);
  return new CommandError("not_found", noServiceText(name, { names }));
}

export function noLog(name: string, services: readonly Service[]): CommandError {
  if (!services.some((its) => its.name === name)) return noService(name, services);
  const why = `${name} was not started from here, so what it prints is in its own terminal`;
  return new CommandError("unsupported", why);
}

/** The tables of a service and its project -> how requests to its name are treated, as far as they say. Pure. */
import { type Table, tableIn } from "../layer.ts";
import {
  type DeclaredSettings,
  declaredSettings,
  type SettingKey,
  settingKeys,
} from "../name-settings.ts";
import { projectSchema, serviceSchema } from "../schema.ts";
import type { Reading } from "./reading.ts";

const keys = Object.keys(settingKeys) as SettingKey[];

/** Each key of the service, and else of its project. Undefined where neither has any. */
export function readSettings(
  service: string,
  table: Table,
  { tree, fields }: Pick<Reading, "tree" | "fields">,
): DeclaredSettings | undefined {
  const project = tableIn(tree, "project");
  const values = keys.map((key) => {
    const own = fields.read(table, { key, schema: serviceSchema, service });
    const found = own ?? fields.read(project, { key, schema: projectSchema, quiet: true });
    return [key, found?.value] as const;
  });
  const settings = declaredSettings(Object.fromEntries(values));
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** Notes those of the project, of which each service reads its own. */
export function noteProjectSettings(project: Table, { fields }: Pick<Reading, "fields">): void {
  for (const key of keys) fields.read(project, { key, schema: projectSchema });
}

/** A value that we print or send as JSON -> every key and time in it that is not in the one style. */

/** Objects whose keys are data. */
const data = ["env", "hooks", "conditions"];

/** Every key in snake_case, no time but in ISO 8601. */
export function jsonFaults(value: unknown, path = "$"): string[] {
  if (Array.isArray(value)) return value.flatMap((its, at) => jsonFaults(its, `${path}[${at}]`));
  if (typeof value === "number") {
    return value > 1e11 ? [`${path} is ${value}: a time in milliseconds`] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, its]) => {
    const at = `${path}.${key}`;
    const isTime = /(?:^|_)(?:at|time|since|seen|run)$/.test(key) && its !== null;
    return [
      ...(/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/.test(key) ? [] : [`${at} is not in snake_case`]),
      ...(isTime && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(its))
        ? [`${at} is no time: ${String(its)}`]
        : []),
      ...(data.includes(key) ? [] : jsonFaults(its, at)),
    ];
  });
}

/** A number and a noun -> `1 service`, `2 services`. Pure. */

/** `plural` is needed where it is not the noun with an s. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

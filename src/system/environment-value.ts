/** NUL-ended strings, as `/proc/<pid>/environ` has them -> the value of one variable. Pure. */

/** A variable's bytes at the start of an environment, and after another variable: made once, used for every process. */
export type Sought = { atStart: Buffer; inside: Buffer };

export function sought(name: string): Sought {
  return { atStart: Buffer.from(`${name}=`), inside: Buffer.from(`\0${name}=`) };
}

/** The first one, as getenv(3) finds it; undefined: there is none. No string is made of any other variable. */
export function valueIn(
  environment: Buffer,
  { atStart, inside }: Sought,
  { as = "utf8" }: { as?: "utf8" | "latin1" } = {},
): string | undefined {
  let start = -1;
  if (environment.subarray(0, atStart.length).equals(atStart)) start = atStart.length;
  else {
    const at = environment.indexOf(inside);
    if (at !== -1) start = at + inside.length;
  }
  if (start === -1) return undefined;
  const end = environment.indexOf(0, start);
  return environment.toString(as, start, end === -1 ? environment.length : end);
}

/** A descriptor that could not be had -> the code of the error, where whoever asked for it was not told. */
import { closeSync, constants, openSync } from "node:fs";

/**
 * Asks for the same again: `path` once, and descriptors up to `count`. Undefined where they can be had now.
 */
export function refusedDescriptor(path = "/dev/null", count = 1): string | undefined {
  const opened: number[] = [];
  try {
    opened.push(openSync(path, constants.O_RDWR | constants.O_NOCTTY));
    while (opened.length < count) opened.push(openSync("/dev/null", constants.O_RDWR));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

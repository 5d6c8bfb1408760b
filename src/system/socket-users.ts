/** The path of a unix socket -> the users who could have put it there. */
import { lstatSync, statSync } from "node:fs";

/**
 * The owner of the file, and of the link that leads to it. Empty where there is none: connecting says more. Anybody may
 * make a file in `/tmp` while the server is not there, and a link to a socket that only we may use.
 */
export function socketUsers(path: string): number[] {
  return [lstatSync, statSync].flatMap((look) => {
    try {
      return look(path).uid;
    } catch {
      // Nothing is there, or it cannot be reached: a connection fails with the reason.
      return [];
    }
  });
}

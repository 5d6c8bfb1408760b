/** This process -> whose authority it makes: a person has to recognise it in a trust store. */
import { hostname } from "node:os";
import { userName } from "../system/user.ts";

export type Identity = {
  /** Asked for when an authority is made, and only then. */
  user(): Promise<string>;
  host: string;
  /** The owner that the files must have; undefined on a system without such numbers. */
  uid: number | undefined;
};

export function processIdentity(): Identity {
  return { user: userName, host: hostname(), uid: process.getuid?.() };
}

/**
 * This process -> the person and machine named in a certificate authority, so that people recognise it in a trust
 * store.
 */
import { hostname } from "node:os";
import { userName } from "../system/user.ts";

export type Identity = {
  /** Called only when a certificate authority is created. */
  user(): Promise<string>;
  host: string;
  /** The owner that the files must have; undefined on a system without uids. */
  uid: number | undefined;
};

export function processIdentity(): Identity {
  return { user: userName, host: hostname(), uid: process.getuid?.() };
}

/** The user who started the daemon -> the users whose clients the proxy and the page count as that person's. Pure. */

export type ServedUsers = {
  /** Not root's: the page is one person's. */
  page: readonly number[];
  /** With root, who may do everything anyway; with sudo, also the user who typed it, whose browser is not root's. */
  proxy: readonly number[];
};

/** `SUDO_UID`: sudo(8). It counts for root only, since anybody may set a variable. */
export function servedUsers(
  uid: number,
  { SUDO_UID }: Readonly<Record<string, string | undefined>>,
): ServedUsers {
  const isUser = SUDO_UID !== undefined && /^\d{1,10}$/.test(SUDO_UID);
  return { page: [uid], proxy: [uid, 0, ...(uid === 0 && isUser ? [Number(SUDO_UID)] : [])] };
}

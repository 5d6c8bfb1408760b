/** Users -> the number of connections each has, so that no user can use up the room of all. */

export type Shares = {
  /** Counts one more connection for this user. @returns false if that exceeds the share. */
  take(uid: number): boolean;
  release(uid: number): void;
  /** The users who have any. */
  users(): readonly number[];
};

export function shares(most: number): Shares {
  const counts = new Map<number, number>();
  return {
    take(uid) {
      const count = counts.get(uid) ?? 0;
      if (count >= most) return false;
      counts.set(uid, count + 1);
      return true;
    },
    release(uid) {
      const count = counts.get(uid) ?? 0;
      if (count > 1) counts.set(uid, count - 1);
      else counts.delete(uid);
    },
    users: () => [...counts.keys()],
  };
}

/** Users -> how many connections each of them has, so that nobody takes up the room of all. */

export type Shares = {
  /** One more for this user. @returns false: that would be more than a share. */
  take(uid: number): boolean;
  release(uid: number): void;
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
  };
}

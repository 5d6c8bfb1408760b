/** How the readers of types are given the keys of a service. */

export type OwnReader = {
  /** The value under a key, as understood; undefined where there is none, or it is wrong. */
  value<Value>(key: string): Value | undefined;
  /** Whether a file has the key, with whatever value. */
  has(key: string): boolean;
  /** False where ports that are written there are another checkout's. */
  holds(key: string): boolean;
  /** Reports an error at a key. */
  wrong(key: string, what: string): void;
  /** Absolute: the project's folder. */
  directory: string;
  /** Absolute: the person's folder, for `~`; undefined: nobody knows it. */
  home: string | undefined;
};

/** How the readers of types are given the keys of a service. */

export type OwnReader = {
  /** The value under a key, as understood; undefined where there is none, or it is wrong. */
  value<Value>(key: string): Value | undefined;
  /** Reports an error at a key. */
  wrong(key: string, what: string): void;
  /** Absolute: the project's folder. */
  directory: string;
};

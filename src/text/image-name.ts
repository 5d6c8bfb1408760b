/** A word -> whether it may name an image of containers, and the last part of its name. Pure. */

/** github.com/distribution/reference: a registry, folders and a name, a tag, a digest. */
export const imagePattern =
  /^(?:[a-z0-9]+(?:[.-][a-z0-9]+)*(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

export function isImageName(word: string): boolean {
  return word.length <= 512 && imagePattern.test(word);
}

/** Whether it can be nothing else: services and projects have neither a slash nor a digest. */
export function isOnlyImage(word: string): boolean {
  return isImageName(word) && /[/@]/.test(word);
}

/** `ghcr.io/me/shop-db:7` is `shop-db`. */
export function lastPartOf(word: string): string {
  return word.replace(/@.*$/, "").replace(/^.*\//, "").replace(/:.*$/, "");
}

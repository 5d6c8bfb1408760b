/** The types of services that later versions, or locald, have: names that a file may hold. Pure. */

export const laterTypes: readonly string[] = ["postgres", "container", "site", "build"];

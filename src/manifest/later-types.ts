/** Types of services that files written for later versions, or for locald, may have: known words. Pure. */

export const laterTypes: readonly string[] = ["postgres", "container", "site", "build"];

/** Words about plugins that files have: their names, and the capabilities that they are granted. Pure. */

/** Each step of a plan needs the capability of its operation. */
export const capabilities = [
  "declare-service",
  "allocate-port",
  "oci-pull",
  "render-template",
  "write-file",
] as const;

export type Capability = (typeof capabilities)[number];

/** Those that every plugin has, and that it need not request. The others are granted by a person. */
export const usualCapabilities: readonly Capability[] = ["declare-service", "allocate-port"];

export function isCapability(word: string): word is Capability {
  return (capabilities as readonly string[]).includes(word);
}

/** As it is typed, and as its file is called. */
const pluginName = /^[a-z0-9][a-z0-9-]{0,62}$/;

export function isPluginName(name: string): boolean {
  return pluginName.test(name);
}

/** The shell's variables, and those that a person has set -> the environment of a buildpack's program. Pure. */

/** The environment for which we build where nobody has said another: the default of the Platform spec. */
export const usualExecEnv = "production";

/** Lists of folders: a person's value is put in front of that of layers. Buildpacks spec, "Layer Paths". */
export const pathVariables: readonly string[] = [
  ...["PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "PKG_CONFIG_PATH"],
];

/** Variables of the shell without which programs on this machine do not find home, network and language. */
const inherited: readonly string[] = [
  ...pathVariables,
  ...["HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"],
  ...["http_proxy", "https_proxy", "no_proxy", "all_proxy"],
  // By it the supervisor finds again what a service has started.
  "LOCALHOSTESS_RUN_ID",
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"],
];

export type Variables = Readonly<Record<string, string>>;

/** A build is not to depend on more than these: the Platform spec names fewer. */
export function shellVariables(env: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => inherited.includes(name)));
}

/** Not for a buildpack with `clear-env`. Buildpacks spec, "Provided by the Platform". */
export function withVariables(env: Variables, variables: Variables): Record<string, string> {
  const all = { ...env };
  for (const [name, value] of Object.entries(variables)) {
    const before = all[name];
    const isList = pathVariables.includes(name) && before !== undefined && before !== "";
    all[name] = isList ? `${value}:${before}` : value;
  }
  return all;
}

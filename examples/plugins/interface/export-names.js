/** The names of AssemblyScript's exports -> those that plugin.wit gives them. A transform of its compiler. */
export default class ExportNames {
  afterCompile(module) {
    for (const name of ["detect", "apply"]) {
      const ref = module.getExport(name);
      const inner = this.binaryen.getExportInfo(ref).value;
      module.removeExport(name);
      module.addFunctionExport(inner, `locald:plugins/plugin@0.1.0#${name}`);
    }
  }
}

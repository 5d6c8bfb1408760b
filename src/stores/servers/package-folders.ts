/** A package and a version -> the folders in which package managers put its programs, besides PATH. Pure. */

const homebrew = ["/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"] as const;

/** `redis@7.2` is a package of its own beside `redis`, and not linked into PATH. */
export function packageFolders(name: string, version: string | undefined): readonly string[] {
  const packages = version === undefined ? [name] : [`${name}@${version}`, name];
  return packages.flatMap((its) => homebrew.map((prefix) => `${prefix}/opt/${its}/bin`));
}

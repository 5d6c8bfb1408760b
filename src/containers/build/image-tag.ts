/** A service with a Dockerfile -> the name and the label of its image, which no other project's has. Pure. */

export type BuiltService = {
  /** Names this daemon's state directory among others. */
  owner: string;
  project: string;
  /** Absolute. */
  directory: string;
  service: string;
  /** Text -> the first digits of its hash. */
  digest(text: string): string;
};

/** As a part of an image's name may be, github.com/distribution/reference. */
export function imageTag({ owner, project, directory, service, digest }: BuiltService): string {
  const hash = digest(`${owner} ${directory}`);
  return `localhostess/${partOf(project)}-${hash}-${partOf(service)}`;
}

/** A key that only images have: containers inherit labels, and are known by others. */
export function imageLabels({ owner, directory, service }: BuiltService): Record<string, string> {
  return { "localhostess.built": `${owner} ${directory} ${service}` };
}

function partOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return plain === "" ? "x" : plain.slice(0, 60);
}

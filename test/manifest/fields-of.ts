/** The fields that a command with that port gives to others. */
export function fieldsOf(port: number | undefined): Readonly<Record<string, string>> {
  if (port === undefined) return {};
  return { port: String(port), host: "localhost", url: `http://localhost:${port}` };
}

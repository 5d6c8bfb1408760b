/** `import wit from "./plugin.wit" with { type: "text" }` -> the file's text, for the type checker. */
declare module "*.wit" {
  const text: string;
  export default text;
}

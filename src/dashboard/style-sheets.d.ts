/** `import style from "./style.css" with { type: "text" }` -> the file's text, for the type checker. */
declare module "*.css" {
  const text: string;
  export default text;
}

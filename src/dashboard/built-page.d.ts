/** The output of `npm run page` -> a module for the type checker, built or not. */
declare module "*/dist/page.js" {
  const text: string;
  export default text;
}

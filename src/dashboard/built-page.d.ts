/** What `npm run page` makes -> a module for the type checker, also where it has not been made. */
declare module "*/dist/page.js" {
  const text: string;
  export default text;
}

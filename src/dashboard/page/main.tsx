/** The page begins here: what `npm run page` makes one script of. */
/** @jsxImportSource preact */
import { render } from "preact";
import { App } from "./app.tsx";
import { start } from "./live.ts";

start();
render(<App />, document.getElementById("app")!);

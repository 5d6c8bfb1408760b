/** The entry of the page's script, which `npm run page` builds. */
/** @jsxImportSource preact */
import { render } from "preact";
import { App } from "./app.tsx";
import { start } from "./live.ts";

start();
render(<App />, document.getElementById("app")!);

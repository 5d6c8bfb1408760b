/** `type = "static-site"` -> a site of a folder, and where asked its first page and its page of what is not there. */
import { Plugin, serve } from "../interface/component";
import { Answer, flag, Plan, refuse, Setting, text } from "../interface/plan";
import { Host, Service } from "../interface/service";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>{{title}}</title>
  </head>
  <body>
    <h1>{{title}}</h1>
  </body>
</html>
`;

class StaticSite extends Plugin {
  detect(service: Service): string | null {
    return service.kind == "static-site" ? "the files of a folder" : null;
  }

  apply(service: Service, _host: Host): Answer {
    const unknown = service.unknownKey(["path", "title", "missing", "reload"]);
    if (unknown !== null) {
      return refuse(`no key ${unknown}; there are path, title, missing and reload`);
    }
    const folder = service.text("path", "public");
    const plan = new Plan();
    // A title asks for a first page; without one, nothing is written.
    const title = service.text("title", "");
    if (title != "") {
      const index = plan.renderTemplate("page", page, [new Setting("title", text(escaped(title)))]);
      plan.writeFile("index", `${folder}/index.html`, index);
    }
    const missing = service.text("missing", "");
    if (missing != "") {
      const words = `<!doctype html>\n<title>Not here</title>\n<p>${escaped(missing)}</p>\n`;
      plan.writeFile("missing", `${folder}/404.html`, text(words));
    }
    plan.declareService("site", service.name, "site", [
      new Setting("path", text(folder)),
      new Setting("reload", flag(service.flag("reload", false))),
    ]);
    return new Answer(plan);
  }
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

serve(new StaticSite());
export { apply, cabi_realloc, detect } from "../interface/component";

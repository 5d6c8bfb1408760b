/** `type = "procfile"` -> a service for each line of the Procfile's text in the key `procfile`. */
import { Plugin, serve } from "../interface/component";
import { Answer, given, Plan, refuse, Setting, text } from "../interface/plan";
import { Host, Service } from "../interface/service";

class Procfile extends Plugin {
  detect(service: Service): string | null {
    return service.kind == "procfile" ? "a service for each line of a Procfile" : null;
  }

  apply(service: Service, _host: Host): Answer {
    if (!service.isText("procfile")) {
      return refuse('procfile is required: its lines as a text, such as "web: npm start"');
    }
    const problems = new Answer(null);
    const shared: Setting[] = [];
    for (let i = 0; i < service.keys.length; i++) {
      const key = service.keys[i];
      if (key.name.startsWith("env.")) shared.push(new Setting(key.name, given(key.value)));
      else if (key.name != "procfile") {
        problems.errors.push(`no key ${key.name}; there are procfile and env`);
      }
    }

    const plan = new Plan();
    const seen: string[] = [];
    const lines = service.text("procfile", "").split("\n");
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i].trim();
      if (line == "" || line.startsWith("#")) continue;
      const colon = line.indexOf(":");
      const process = colon < 0 ? "" : line.substring(0, colon).trim();
      const command = colon < 0 ? "" : line.substring(colon + 1).trim();
      if (!isName(process) || command == "") {
        problems.errors.push(`procfile, line ${i + 1}: expected a name, a colon and a command`);
        continue;
      }
      if (seen.includes(process)) {
        problems.errors.push(`procfile, line ${i + 1}: there is a second ${process}`);
        continue;
      }
      seen.push(process);
      // The web process is the service itself, and has an address; each of the others is a worker beside it.
      const web = process == "web";
      const settings = [new Setting("command", text(command))];
      if (web) settings.push(new Setting("port", plan.allocatePort("web.port", "web")));
      plan.declareService(
        process,
        web ? service.name : `${service.name}-${process}`,
        web ? "exec" : "worker",
        settings.concat(shared),
      );
    }
    if (seen.length == 0 && problems.errors.length == 0) {
      problems.errors.push("procfile has no line with a name and a command");
    }
    return problems.errors.length > 0 ? problems : new Answer(plan);
  }
}

/** As foreman has them: letters, digits, `_` and `-`. */
function isName(word: string): bool {
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    const isDigit = code >= 48 && code <= 57;
    const isLetter = (code | 32) >= 97 && (code | 32) <= 122;
    if (!isDigit && !isLetter && code != 45 && code != 95) return false;
  }
  return word.length > 0;
}

serve(new Procfile());
export { apply, cabi_realloc, detect } from "../interface/component";

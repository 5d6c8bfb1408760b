/** `type = "redis"` -> a container with a port of its own, and a volume for its data. */
import { Plugin, serve } from "../interface/component";
import { Answer, Plan, refuse, Setting, text, whole } from "../interface/plan";
import { Host, Service } from "../interface/service";

/** The port that Redis has inside its container. */
const inside: u64 = 6379;

class Redis extends Plugin {
  detect(service: Service): string | null {
    return service.kind == "redis" ? "Redis in a container" : null;
  }

  apply(service: Service, _host: Host): Answer {
    const unknown = service.unknownKey(["version", "image", "port", "volume", "memory"]);
    if (unknown !== null) {
      return refuse(`no key ${unknown}; there are version, image, port, volume and memory`);
    }
    const image = service.text("image", `redis:${service.words("version", "7")}`);
    if (image.includes(" ")) return refuse(`image: expected an image such as "redis:7"`);

    const plan = new Plan();
    const port = service.has("port")
      ? whole(service.whole("port", inside))
      : plan.allocatePort("port", "redis");
    // The image's own entry point puts the server's name in front. Only this machine gets to the port.
    const memory = service.text("memory", "");
    const limit = memory == "" ? "" : ` --maxmemory ${memory}`;
    const settings = [
      new Setting("image", plan.pullImage("image", image)),
      new Setting("port", port),
      new Setting("container_port", whole(inside)),
      new Setting("volumes.0", text(`${service.text("volume", "data")}:/data`)),
      new Setting("command", text(`--protected-mode no${limit}`)),
    ];
    plan.declareService("service", service.name, "container", settings);
    return new Answer(plan);
  }
}

serve(new Redis());
export { apply, cabi_realloc, detect } from "../interface/component";

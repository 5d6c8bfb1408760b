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
    const settings = [
      new Setting("image", plan.pullImage("image", image)),
      new Setting("port", port),
      new Setting("container_port", whole(inside)),
      new Setting("volumes.0", text(`${service.text("volume", "data")}:/data`)),
    ];
    const memory = service.text("memory", "");
    if (memory != "") {
      settings.push(new Setting("command", text(`redis-server --maxmemory ${memory}`)));
    }
    plan.declareService("service", service.name, "container", settings);
    return new Answer(plan);
  }
}

serve(new Redis());
export { apply, cabi_realloc, detect } from "../interface/component";

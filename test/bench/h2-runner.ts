/** A backend's port into an HTTP/2 proxy on a port that it prints, for h2load: `bun test/bench/h2-runner.ts <backend port>`. */
import { startH2Proxy } from "../support/h2-proxy.ts";

const proxy = await startH2Proxy({ api: { port: Number(process.argv[2]) } });
console.log(proxy.port);

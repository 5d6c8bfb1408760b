/** curl and nghttp, by HTTP/2 over TLS, at the proxy's own port. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { eventually } from "../../support/eventually.ts";
import { echo, RawServer } from "../../support/raw-server.ts";
import { refusingServer } from "../../support/refusing-server.ts";
import { startTestProxy, type TestProxy } from "../../support/test-proxy.ts";
import { testTerminator } from "../../support/test-tls.ts";
import {
  type ThrowawayCertificateAuthority,
  throwawayCertificateAuthority,
} from "../../support/throwaway-certificate-authority.ts";
import { describeWith } from "../../support/with-programs.ts";

const upstream = new RawServer({
  answer: (request, connection) => {
    if (request.target === "/never") return;
    if (request.target === "/trailers") {
      const chunks = "2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n";
      connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    } else if (request.method === "POST") {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n\r\n`);
      connection.send(request.body);
    } else connection.send(echo(request));
  },
});

let throwaway: ThrowawayCertificateAuthority;
let proxy: TestProxy;

beforeAll(async () => {
  throwaway = await throwawayCertificateAuthority();
  proxy = await startTestProxy({
    services: { api: upstream },
    terminator: testTerminator((name) => throwaway.leafFor(name)),
  });
});

afterAll(async () => {
  await proxy.stop();
  upstream.stop();
  await throwaway[Symbol.asyncDispose]();
});

function start(argv: readonly string[], input = "") {
  return Bun.spawn([...argv], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
}

async function output(argv: readonly string[], input?: string): Promise<string> {
  const child = start(argv, input);
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return out + error;
}

function curl(path: string, ...more: string[]): string[] {
  const { certificatePath } = throwaway.ca;
  return [
    ...["curl", "-sS", "--http2", "--noproxy", "*", "--max-time", "10"],
    ...["--cacert", certificatePath, "--resolve", `api.localhost:${proxy.port}:127.0.0.1`],
    ...more,
    `https://api.localhost:${proxy.port}${path}`,
  ];
}

describeWith(["curl"])("curl --http2", () => {
  test("GET, and two at once on one connection", async () => {
    const write = ["-w", " %{http_version} %{http_code}\n"];
    expect(await output(curl("/one", ...write))).toBe("GET /one 2 200\n");
    const before = upstream.requests.length;
    const both = await output([
      ...curl("/two", "--parallel", "--no-progress-meter", "-o", "/dev/null", ...write),
      ...["-o", "/dev/null", `https://api.localhost:${proxy.port}/three`],
    ]);
    expect(both).toBe(" 2 200\n 2 200\n");
    const targets = upstream.requests.slice(before).map(({ target }) => target);
    expect(targets.sort()).toEqual(["/three", "/two"]);
  });

  test("a body of unknown length from a pipe comes back", async () => {
    const body = "0123456789".repeat(50_000);
    expect(await output(curl("/post", "-X", "POST", "-T", "-"), body)).toBe(body);
  });

  test("an upload of 10 MB that is refused early has its answer: the service's, and ours", async () => {
    using refusing = refusingServer();
    await using other = await startTestProxy({
      services: { api: refusing },
      terminator: testTerminator((name) => throwaway.leafFor(name)),
    });
    const body = "0123456789".repeat(1_000_000);
    const upload = (name: string): Promise<string> => {
      const { certificatePath } = throwaway.ca;
      const url = `https://${name}:${other.port}/`;
      const options = ["-sS", "--http2", "--noproxy", "*", "--max-time", "10", "-o", "/dev/null"];
      const to = ["--cacert", certificatePath, "--resolve", `${name}:${other.port}:127.0.0.1`];
      const argv = ["curl", ...options, ...to, "-w", "%{http_code}", "-T", "-", url];
      return output(argv, body);
    };
    const names = ["api.localhost", "web.localhost"].flatMap((name) => Array(4).fill(name));
    const answers = await Promise.all(names.map(upload));
    expect(answers).toEqual(names.map((name) => (name === "api.localhost" ? "413" : "404")));
  });

  test("an error page for a browser, for a program and for a terminal", async () => {
    const form = async (accept: string): Promise<string> =>
      await output(
        curl("/", "-o", "/dev/null", "-H", `Accept: ${accept}`, "-H", "Host: web.localhost").concat(
          ["-w", "%{http_code} %{content_type}"],
        ),
      );
    expect(await form("text/html")).toBe("421 text/html; charset=utf-8");
    expect(await form("application/json")).toBe("421 application/json");
    expect(await form("*/*")).toBe("421 text/plain; charset=utf-8");
  });

  test("killed while its request waits: its service's work is broken off", async () => {
    const before = upstream.requests.length;
    const child = start(curl("/never"));
    await eventually("the request has come", () => upstream.requests.length > before);
    const waiting = upstream.accepted.filter(({ over }) => !over);
    child.kill("SIGKILL");
    await child.exited;
    await eventually("one is broken off", () => waiting.some(({ over }) => over));
  });
});

describeWith(["nghttp"])("nghttp", () => {
  // nghttp resolves no name under localhost by itself, and checks no certificate.
  const nghttp = (...more: string[]): Promise<string> =>
    output(["nghttp", "-v", "--no-push", ...more, `https://localhost:${proxy.port}/`]);

  test("GET, with padding, in CONTINUATIONs, and with a window of 2^10", async () => {
    for (const option of ["--padding=200", "--continuation", "--window-bits=10"]) {
      const printed = await nghttp(option);
      expect(printed).toContain(":status: 200");
      expect(printed).toContain("; END_STREAM");
      expect(printed).not.toMatch(/recv (RST_STREAM|GOAWAY)/);
    }
  });

  test("a table of no entries, and ten requests at once", async () => {
    const printed = await nghttp("--header-table-size=0", "-m10");
    expect(printed.match(/:status: 200/g)).toHaveLength(10);
  });
});

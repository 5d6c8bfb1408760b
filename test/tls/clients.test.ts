/** Clients that trust only our authority, at a TLS server that has our leaves. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { DAY, signLeaf } from "../../src/tls/certificate.ts";
import {
  type ThrowawayCertificateAuthority,
  throwawayCertificateAuthority,
} from "../support/throwaway-certificate-authority.ts";
import { describeWith } from "../support/with-programs.ts";

let throwaway: ThrowawayCertificateAuthority;
let server: tls.Server;
let port: number;
/** A server that has what a thief of the key would make. */
let thief: tls.Server;
let thiefPort: number;

beforeAll(async () => {
  throwaway = await throwawayCertificateAuthority();
  const unnamed = await throwaway.leafFor(undefined);
  server = tls.createServer(
    {
      cert: unnamed.certificate,
      key: unnamed.key,
      SNICallback: (serverName, done) => {
        throwaway.leafFor(serverName).then(
          (leaf) => done(null, tls.createSecureContext({ cert: leaf.certificate, key: leaf.key })),
          (error: Error) => done(error),
        );
      },
    },
    answer,
  );
  port = await listening(server);
  const at = Date.now();
  const stolen = await signLeaf(throwaway.ca, {
    dns: ["example.com"],
    addresses: [],
    validity: { from: at - DAY, to: at + DAY },
  });
  thief = tls.createServer({ cert: stolen.certificate, key: stolen.key }, answer);
  thiefPort = await listening(thief);
});

afterAll(async () => {
  server.close();
  thief.close();
  await throwaway[Symbol.asyncDispose]();
});

function answer(socket: tls.TLSSocket): void {
  // A client that refuses our certificate breaks off; that is what some tests are about.
  socket.on("error", () => {});
  socket.once("data", () => {
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nyes\n");
  });
}

async function listening(one: tls.Server): Promise<number> {
  one.listen(0, "127.0.0.1");
  await once(one, "listening");
  return (one.address() as AddressInfo).port;
}

const names = ["localhost", "api.localhost", "v1.api.localhost", "127.0.0.1"];

async function output(command: string[], stdin = ""): Promise<string> {
  const child = Bun.spawn(command, {
    stdin: Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return (out + error).trim();
}

async function curl(name: string, at: number): Promise<string> {
  const to = ["--connect-to", `${name}:${at}:127.0.0.1:${at}`];
  const trust = ["--cacert", throwaway.ca.certificatePath];
  return await output(["curl", "-sS", "--noproxy", "*", ...trust, ...to, `https://${name}:${at}/`]);
}

const nodeClient = `
const [file, at, ...names] = process.argv.slice(2);
const ca = require("node:fs").readFileSync(file);
for (const name of names) {
  const servername = /^[0-9]/.test(name) ? "" : name;
  const checked = { checkServerIdentity: (_, certificate) => require("node:tls").checkServerIdentity(name, certificate) };
  const socket = require("node:tls").connect({ host: "127.0.0.1", port: Number(at), ca, servername, ...checked });
  socket.on("secureConnect", () => { console.log(name, "yes"); socket.destroy(); });
  socket.on("error", (error) => console.log(name, error.message));
}
`;

async function node(clientNames: string[], at: number): Promise<string[]> {
  const args = [throwaway.ca.certificatePath, String(at), ...clientNames];
  return (await output(["node", "-", ...args], nodeClient)).split("\n").sort();
}

const pythonClient = `
import socket, ssl, sys
file, at, *names = sys.argv[1:]
context = ssl.create_default_context(cafile=file)
# The default since Python 3.13.
context.verify_flags |= ssl.VERIFY_X509_STRICT
for name in names:
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", int(at))), server_hostname=name):
            print(name, "yes")
    except ssl.SSLCertVerificationError as error:
        print(name, error.verify_message)
`;

async function python(clientNames: string[], at: number): Promise<string[]> {
  const args = [throwaway.ca.certificatePath, String(at), ...clientNames];
  return (await output(["python3", "-", ...args], pythonClient)).split("\n").sort();
}

const accepted = names.map((name) => `${name} yes`).sort();

describeWith(["curl"])("curl", () => {
  test("takes our names and addresses, and nothing else that our key could sign", async () => {
    for (const name of names) expect(await curl(name, port)).toBe("yes");
    expect(await curl("example.com", thiefPort)).toContain("permitted subtree violation");
  });
});

describeWith(["node"])("Node", () => {
  test("takes our names and addresses, and nothing else that our key could sign", async () => {
    expect(await node(names, port)).toEqual(accepted);
    expect(await node(["example.com"], thiefPort)).toEqual([
      "example.com permitted subtree violation",
    ]);
  });
});

describeWith(["python3"])("Python", () => {
  test("takes our names and addresses, and nothing else that our key could sign", async () => {
    expect(await python(names, port)).toEqual(accepted);
    expect(await python(["example.com"], thiefPort)).toEqual([
      "example.com permitted subtree violation",
    ]);
  });
});

test("Bun, by name", async () => {
  const ca = throwaway.ca.pem;
  for (const name of ["localhost", "api.localhost"]) {
    const response = await fetch(`https://${name}:${port}/`, { tls: { ca }, proxy: "" });
    expect(await response.text()).toBe("yes\n");
  }
  const stolen = fetch(`https://127.0.0.1:${thiefPort}/`, {
    tls: { ca, serverName: "example.com" },
    headers: { Host: "example.com" },
    proxy: "",
  });
  await expect(stolen).rejects.toThrow("permitted subtree violation");
});

test("Bun cannot check addresses under constraints: when it can, both loopback leaves can be one", async () => {
  const ca = throwaway.ca.pem;
  const response = fetch(`https://127.0.0.1:${port}/`, { tls: { ca }, proxy: "" });
  await expect(response).rejects.toThrow("unsupported name constraint type");
});

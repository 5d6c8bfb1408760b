/**
 * env, with the real program, and the real curl, git, node, bun, python3 and java where they are: each against
 * a server of ours, and against one of a company whose authority the person has set before. Deno and Ruby are
 * not tested here.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import {
  type CertificateAuthority,
  ensureCertificateAuthority,
} from "../../src/tls/certificate-authority.ts";
import { mintLeaf } from "../../src/tls/leaf.ts";
import { assignment, type Shell } from "../../src/cli/trust/env.ts";
import { javaQuoted, wordsOf } from "../../src/cli/trust/java-options.ts";
import { bodiesOf, bodyOf } from "../../src/tls/trust/pem.ts";
import {
  identity,
  type ThrowawayCertificateAuthority,
  throwawayCertificateAuthority,
} from "../support/throwaway-certificate-authority.ts";
import { ended } from "../support/ended.ts";
import { type Env, environment, session } from "./cli.ts";
import { temporarySystem, type TemporarySystem } from "./temporary-system.ts";

let system: TemporarySystem;
let company: ThrowawayCertificateAuthority;
let ours: { server: Server; port: number };
let theirs: { server: Server; port: number };

/** As much of a repository as git needs to find it empty. */
const emptyRepository = "001e# service=git-upload-pack\n00000000";

async function serverOf(
  authority: CertificateAuthority,
): Promise<{ server: Server; port: number }> {
  const subject = { name: "localhost", signer: "names", addresses: false } as const;
  const leaf = await mintLeaf(subject, { signer: authority, clock: systemClock });
  const server = createServer({ key: leaf.key, cert: leaf.certificate }, (request, response) => {
    const git = request.url?.includes("service=git-upload-pack") ?? false;
    response.setHeader("Connection", "close");
    if (git) response.setHeader("Content-Type", "application/x-git-upload-pack-advertisement");
    response.end(git ? emptyRepository : "hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function authorityOf({ stateDirectory }: TemporarySystem): Promise<CertificateAuthority> {
  const made = await ensureCertificateAuthority({
    stateDirectory,
    kind: "names",
    clock: systemClock,
    identity,
    tlds: [],
  });
  if (made.kind !== "ready") throw new Error(made.problems.join("\n"));
  return made.ca;
}

beforeAll(async () => {
  system = await temporarySystem();
  company = await throwawayCertificateAuthority();
  await writeFile(join(system.root, "etc/ssl/certs/ca-certificates.crt"), company.ca.pem);
  ours = await serverOf(await authorityOf(system));
  theirs = await serverOf(company.ca);
});

afterAll(async () => {
  ours.server.close();
  theirs.server.close();
  await company[Symbol.asyncDispose]();
  await system[Symbol.asyncDispose]();
});

/** The command in a shell that has read `env`'s lines. */
async function withLines(
  lines: string,
  { command, env = {} }: { command: readonly string[]; env?: Env },
): Promise<{ code: number; text: string }> {
  const { code, out, err } = await ended(["sh", "-c", `${lines}\nexec "$@"`, "sh", ...command], {
    env: environment({ ...system.env, ...env }),
    cwd: system.home,
  });
  return { code, text: out + err };
}

const java = `import java.net.*;
public class Get { public static void main(String[] a) throws Exception {
  var c = (HttpURLConnection) new URL(a[0]).openConnection();
  System.out.println(c.getResponseCode());
} }`;

type Client = {
  program: string;
  command(url: string): Promise<readonly string[]> | readonly string[];
  /** What the person has set, to a file that has only their company's authority. */
  set(path: string): Env;
};

const clients: Record<string, Client> = {
  curl: {
    program: "curl",
    command: (url) => ["curl", "-sS", url],
    set: (path) => ({ CURL_CA_BUNDLE: path }),
  },
  git: {
    program: "git",
    command: (url) => ["git", "ls-remote", `${url}x.git`],
    set: (path) => ({ GIT_SSL_CAINFO: path }),
  },
  node: {
    program: "node",
    command: (url) => [
      "node",
      "-e",
      `fetch("${url}").then((its) => its.text()).then(console.log, (error) => { console.log(error.cause); process.exit(1); })`,
    ],
    set: (path) => ({ NODE_EXTRA_CA_CERTS: path }),
  },
  bun: {
    program: process.execPath,
    command: (url) => [process.execPath, "-e", `console.log(await (await fetch("${url}")).text())`],
    set: (path) => ({ NODE_EXTRA_CA_CERTS: path }),
  },
  "python3 (ssl)": {
    program: "python3",
    command: (url) => [
      "python3",
      "-c",
      `import urllib.request as r; print(r.urlopen("${url}").status)`,
    ],
    set: (path) => ({ SSL_CERT_FILE: path }),
  },
  "java (JKS)": {
    program: "javac",
    async command(url) {
      const path = join(system.home, "Get.java");
      await writeFile(path, java);
      return ["java", path, url];
    },
    set(path) {
      const keystore = `${path} it's.jks`;
      const { exitCode, stderr } = Bun.spawnSync(
        [
          "keytool",
          "-importcert",
          "-noprompt",
          "-alias",
          "company",
          "-file",
          path,
          "-keystore",
          keystore,
          "-storetype",
          "JKS",
          "-storepass",
          "their secret",
        ],
        { env: environment(system.env) },
      );
      if (exitCode !== 0) throw new Error(stderr.toString());
      return {
        JAVA_TOOL_OPTIONS: [
          "-Dtheirs=1",
          `-Djavax.net.ssl.trustStore=${keystore}`,
          "-Djavax.net.ssl.trustStorePassword=their secret",
        ]
          .map(javaQuoted)
          .join(" "),
      };
    },
  },
};

const urlOf = ({ port }: { port: number }) => `https://localhost:${port}/`;

for (const [name, client] of Object.entries(clients)) {
  describe.skipIf(Bun.which(client.program) === null)(name, () => {
    test("trusts us with env's lines, and not without", async () => {
      const command = await client.command(urlOf(ours));
      const without = await withLines("", { command });
      expect(without.code).not.toBe(0);
      expect(without.text).toMatch(/certificate|CERT|PKIX/);
      const { out, code } = await system.run(["env"]);
      expect(code).toBe(0);
      expect(await withLines(out, { command })).toMatchObject({ code: 0 });
    }, 120_000);

    test("keeps what the person had set, also after env is read twice", async () => {
      const path = join(system.home, `${name.replace(/\W/g, "")}.pem`);
      await writeFile(path, company.ca.pem);
      // Not by the system's roots, which have it as well.
      await using bare = await temporarySystem();
      const set = client.set(path);
      const env = { ...set, LOCALHOSTESS_STATE_DIR: system.stateDirectory };
      const { out, err } = await bare.run(["env"], { env });
      expect(err).toBe("");
      const variable = Object.keys(set)[0]!;
      const twice = await withLines(out, {
        command: [process.execPath, "src/main.ts", "env", "--root", bare.root].map((word) =>
          word === "src/main.ts" ? join(import.meta.dir, "../../src/main.ts") : word,
        ),
        env,
      });
      const line = (text: string) =>
        text.split("\n").find((its) => its.startsWith(`export ${variable}=`));
      expect(line(twice.text)).toBe(line(out)!);
      for (const server of [ours, theirs]) {
        const command = await client.command(urlOf(server));
        expect(await withLines(out, { command, env })).toMatchObject({ code: 0 });
      }
    }, 120_000);
  });
}

const requests = Bun.spawnSync(["python3", "-c", "import requests"], {
  env: environment(),
}).success;

test.skipIf(!requests)("Python's requests trusts us", async () => {
  const { out } = await system.run(["env"]);
  const command = ["python3", "-c", `import requests; print(requests.get("${urlOf(ours)}").text)`];
  expect(await withLines(out, { command })).toMatchObject({ code: 0, text: "hello\n" });
});

describe("what is kept", () => {
  const valuesOf = async (its: TemporarySystem, env: Env = {}) => {
    const { out, err, code } = await its.run(["env", "--json"], { env });
    expect(code).toBe(0);
    return { values: JSON.parse(out) as Record<string, string>, err };
  };

  test("git's own setting, which its variable would hide", async () => {
    const file = join(system.home, "from-config.pem");
    await writeFile(file, company.ca.pem);
    const config = join(system.home, ".gitconfig");
    await writeFile(config, `[http]\n\tsslCAInfo = ~/from-config.pem\n`);
    await using other = await temporarySystem();
    const { values } = await valuesOf(other, { HOME: system.home });
    await rm(config);
    const kept = bodiesOf(await Bun.file(values.GIT_SSL_CAINFO!).text());
    expect(kept[0]).toBe(bodyOf(company.ca.pem));
    expect(values.GIT_SSL_CAINFO).not.toBe(values.CURL_CA_BUNDLE!);
  });

  test("a pipe is told of, and not waited for", async () => {
    const pipe = join(system.home, "pipe.pem");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    const { err } = await valuesOf(system, { SSL_CERT_FILE: pipe });
    expect(err).toContain("it is a named pipe, not a file");
  });

  test("a folder stays as it is, and what is no use is told", async () => {
    const { values, err } = await valuesOf(system, {
      REQUESTS_CA_BUNDLE: system.home,
      SSL_CERT_FILE: join(system.home, "missing.pem"),
    });
    expect(values.REQUESTS_CA_BUNDLE).toBeUndefined();
    expect(err).toContain("REQUESTS_CA_BUNDLE is a folder");
    expect(err).toContain(
      `missing.pem cannot be used (there is no file ${system.home}/missing.pem`,
    );
    expect(values.SSL_CERT_FILE).toBe(values.CURL_CA_BUNDLE!);
  });

  test("variables that add get ours alone, and those that replace get the system's roots too", async () => {
    const { values } = await valuesOf(system);
    const pem = (await authorityOf(system)).pem;
    const bodies = async (name: string) => bodiesOf(await Bun.file(values[name]!).text());
    expect(await bodies("NODE_EXTRA_CA_CERTS")).toEqual([bodyOf(pem)]);
    expect(values.DENO_CERT).toBe(values.NODE_EXTRA_CA_CERTS!);
    expect(await bodies("SSL_CERT_FILE")).toEqual([company.ca.pem, pem].map(bodyOf));
  });

  test("files are the person's only, and a second run writes none again", async () => {
    await using its = await temporarySystem();
    await valuesOf(its);
    const directory = join(its.stateDirectory, "env");
    const names = await readdir(directory);
    const times = async () =>
      await Promise.all(names.map(async (name) => (await stat(join(directory, name))).mtimeMs));
    for (const name of names) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    const before = await times();
    await valuesOf(its);
    expect(await times()).toEqual(before);
    expect(await readdir(directory)).toEqual(names);
  });

  test("without Java there are no options for it", async () => {
    await using its = await temporarySystem();
    const bin = join(its.root, "bin");
    await mkdir(bin);
    expect(
      (await valuesOf(its, { PATH: bin, JAVA_HOME: undefined })).values.JAVA_TOOL_OPTIONS,
    ).toBeUndefined();
  });

  test("options for Java with a quote that does not end stay as they are", async () => {
    const { values, err } = await valuesOf(system, {
      JAVA_HOME: "/nowhere",
      JAVA_TOOL_OPTIONS: `-Dx="y`,
    });
    expect(values.JAVA_TOOL_OPTIONS).toBeUndefined();
    expect(err).toContain("an unclosed quote");
  });
});

const strange = `it's "a" $HOME \`x\` \\ !\n%; end`;

describe("shells", () => {
  test("sh takes every character as it is", async () => {
    const line = assignment("sh", { name: "STRANGE", value: strange });
    const { text } = await withLines(line, { command: ["printenv", "STRANGE"] });
    expect(text).toBe(`${strange}\n`);
  });

  test("fish and PowerShell have their own quotes", () => {
    const value = `it's \\ $x`;
    // PowerShell takes a typographer's quotes for its own.
    expect(assignment("powershell", { name: "V", value: "a\u2019; calc" })).toBe(
      "$env:V = 'a\u2019\u2019; calc'",
    );
    const lines: [Shell, string][] = [
      ["fish", `set -gx V 'it\\'s \\\\ $x';`],
      ["powershell", `$env:V = 'it''s \\ $x'`],
    ];
    for (const [shell, line] of lines) expect(assignment(shell, { name: "V", value })).toBe(line);
  });

  test("fish is guessed from SHELL, and sh for every other", async () => {
    const first = async (args: string[], SHELL: string) =>
      (await system.run(["env", ...args], { env: { SHELL } })).out;
    expect(await first([], "/usr/bin/fish")).toStartWith("set -gx SSL_CERT_FILE '");
    expect(await first([], "/bin/zsh")).toStartWith("export SSL_CERT_FILE='");
    expect(await first(["--shell", "powershell"], "/usr/bin/fish")).toStartWith(
      "$env:SSL_CERT_FILE = '",
    );
    expect(await system.run(["env", "--shell", "tcsh"])).toMatchObject({ code: 2 });
  });
});

test("the JVM's words are taken apart and put together without a loss", () => {
  for (const words of [[], ["-Da=b"], ["-Da=b c", `it's`, `"x"`, `'"'`, ""], [`a"b'c d`]]) {
    expect(wordsOf(words.map(javaQuoted).join(" "))).toEqual(words);
  }
  expect(wordsOf(`  -Da="b c"'d'\t-x `)).toEqual(["-Da=b cd", "-x"]);
  expect(wordsOf(`-Da='b`)).toBeUndefined();
});

test("a person at a terminal is told that http_proxy is not among them, and why; a shell is not", async () => {
  await using shown = session(["env"], { env: system.env, columns: 200 });
  await shown.ended();
  expect(shown.output()).toContain("reaches services and nothing else");
  const { code, err, out } = await system.run(["env"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).not.toContain("http_proxy");
});

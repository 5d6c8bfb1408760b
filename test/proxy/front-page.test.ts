import { expect, test } from "bun:test";
import { frontPage } from "../../src/proxy/pages/front-page.ts";
import type { Service } from "../../src/routes/service.ts";
import { serviceRow } from "../../src/routes/service-row.ts";

const api: Service = {
  name: "api",
  routable: true,
  endpoint: { address: "::1", port: 3000, dial: ["::1"] },
  process: { pid: 4242, startedAt: 1_700_000_000_000 },
  pids: [4242, 4250],
  ports: [3000, 9229],
  command: "bun dev",
  cwd: "/home/me/api",
  source: "NAME",
  warnings: ["Two processes are named api."],
};
const odd: Service = {
  ...api,
  name: "<b>my app",
  routable: false,
  command: "node <script>alert(1)</script> \x1b[2J",
  warnings: ["A name has no < in it."],
};
const page = {
  services: [api, odd],
  tlds: [],
  version: "1.2.3",
  port: 9090,
  urlPort: 9090,
  securePort: 9443,
  details: true,
};
const htmlOf = (services: readonly Service[]): string =>
  frontPage({ ...page, services, wants: "html" }).body;

test("a live service is linked and shows its address, pids, command and warnings", () => {
  const body = htmlOf([api]);
  expect(body).toContain('href="http://api.localhost:9090/"');
  for (const text of [
    "1 server running",
    "[::1]:3000, also :9229",
    "pid 4242 and 1 more",
    "bun dev",
    "Two processes are named api.",
  ]) {
    expect(body).toContain(text);
  }
});

test("a name that cannot be routed is shown with the reason and not linked", () => {
  const body = htmlOf([odd]);
  expect(body).toContain("No named server is running");
  expect(body).toContain("&lt;b&gt;my app");
  expect(body).toContain("A name has no &lt; in it.");
  expect(body).not.toContain("my app.localhost");
  expect(htmlOf([{ ...odd, warnings: [] }])).toContain("This name cannot be an address.");
});

test("nothing that a process calls itself becomes markup or a control character", () => {
  const body = htmlOf([api, odd]);
  expect(body).not.toContain("<b>");
  expect(body).not.toContain("<script");
  expect(body).not.toMatch(/[\0-\x09\x0b-\x1f\x7f]/);
});

test("it says our version, how to start a server and where the PAC file is, without a control", () => {
  for (const services of [[], [api]]) {
    const body = htmlOf(services);
    for (const text of ["1.2.3", "NAME=api bun dev", "http.server", 'href="/proxy.pac"']) {
      expect(body).toContain(text);
    }
    expect(body).not.toMatch(/<form|<button|<input|<script/);
  }
});

test("it leads to the dashboard, to https and to up", () => {
  const body = htmlOf([api]).replace(/\s+/g, " ");
  for (const text of [
    "<pre>localhostess dashboard</pre>",
    "<pre>localhostess up</pre>",
    "<pre>localhostess trust</pre>",
    'href="https://api.localhost:9443/"',
    'href="https://localhost:9443/"',
  ]) {
    expect(body).toContain(text);
  }
});

test("it follows what is running by an event, and never by the time", () => {
  const still = frontPage({ ...page, wants: "html" });
  const watching = frontPage({ ...page, wants: "html", mark: "0".repeat(32) });
  for (const { fields, body } of [still, watching]) {
    expect(fields.map(([name]) => name)).not.toContain("Refresh");
    expect(body).not.toContain("http-equiv");
    expect(body).toMatch(/<a href="">/);
  }
  expect(still.body).not.toContain("<script");
  expect(watching.body).toContain("<script>");
});

test("the folder of a service is on no HTML page", () => {
  expect(htmlOf([api])).not.toContain("/home/me");
});

test("a program gets the rows of ls --json, which no other origin may read", () => {
  const reply = frontPage({ ...page, wants: "json" });
  expect(JSON.parse(reply.body)).toEqual([serviceRow(api, 9090), serviceRow(odd, 9090)]);
  expect(reply.fields).toEqual([["Content-Type", "application/json"]]);
  expect(frontPage({ ...page, services: [], wants: "json" }).body).toBe("[]\n");
});

test("a script gets names and addresses, and nothing of processes, in every form", () => {
  const services = [{ ...api, command: "serve --secret" }, odd];
  const told = { ...page, services, details: false };
  expect(JSON.parse(frontPage({ ...told, wants: "json" }).body)).toEqual([
    { name: "api", url: "http://api.localhost:9090" },
    { name: "<b>my app", url: null },
  ]);
  expect(frontPage({ ...told, wants: "text" }).body).toBe(
    "api  http://api.localhost:9090\n<b>my app  (no address)\n",
  );
  const markup = frontPage({ ...told, wants: "html" }).body;
  expect(markup).toContain('href="http://api.localhost:9090/"');
  expect(markup).toContain("localhostess ls");
  for (const wants of ["html", "json", "text"] as const) {
    const { body } = frontPage({ ...told, wants });
    for (const detail of [
      "--secret",
      "4242",
      "/home/me",
      ":3000",
      "9229",
      "alert(1)",
      "Two processes",
    ]) {
      expect(body).not.toContain(detail);
    }
  }
});

test("a terminal gets one line for each service", () => {
  expect(frontPage({ ...page, wants: "text" }).body.split("\n")).toEqual([
    "api  http://api.localhost:9090  [::1]:3000  pid 4242 and 1 more  bun dev  (Two processes are named api.)",
    "<b>my app  (no address)  [::1]:3000  pid 4242 and 1 more  node <script>alert(1)</script> \\x1b[2J  (A name has no < in it.)",
    "",
  ]);
  expect(frontPage({ ...page, services: [], wants: "text" }).body).toBe(
    "No named server is running. Start one: NAME=api bun dev\n",
  );
});

test("it shows the configured domains beside the bare name", () => {
  const body = frontPage({ ...page, tlds: ["test"], wants: "html" }).body;
  expect(body.replace(/\s+/g, " ")).toContain(
    "<code>http://api/</code>, <code>http://api.test/</code>.",
  );
  expect(htmlOf([])).not.toContain("api.test");
});

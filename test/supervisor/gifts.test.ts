/** What the kinds of services give, and what they are said to give. */
import { expect, test } from "bun:test";
import { giftFields, giftVariables } from "../../src/manifest/types/gifts.ts";
import { type Own, serviceTypes, type ServiceType } from "../../src/manifest/types/own.ts";
import { filledSpec } from "../../src/supervisor/project/unit.ts";
import { kindOf } from "../../src/supervisor/types/kinds.ts";
import { project, service } from "../manifest/manifest.ts";
import { specOf } from "./fake-lifecycle.ts";
import { noKinds } from "./no-kinds.ts";

const place = { folder: "/p", data: "/p/data", sockets: "/p/s", password: "/p/password" };
const machine = { ...noKinds, placeOf: () => place, passwordOf: () => "s3cret" };

const keys: Partial<Record<ServiceType, string>> = {
  container: 'image = "x"\nport = 80',
  minio: 'buckets = ["uploads"]',
  site: 'path = "dist"\nport = 8080',
};

function ownOf(type: ServiceType): Own | undefined {
  if (["exec", "process", "worker", "task", "unknown"].includes(type)) return undefined;
  return service(`[services.it]\ntype = "${type}"\n${keys[type] ?? ""}\n`, "it").own;
}

test("a container gives its further ports, and only those that it has", () => {
  const text = (field: string) => `[services.mail]
type = "container"
image = "x"
ports = [1025, "53:53/udp"]
[services.web]
command = "serve"
env = { SMTP = "\${services.mail.${field}}" }
`;
  const { own } = service(text("port_1025"), "mail");
  const spec = specOf({ name: "mail", type: "container", own: own! });
  const facts = {
    ...{ id: "shop:mail", project: "shop", directory: "/shop", port: undefined, machine },
    portOf: (suffix: string) => (suffix === "1025" ? 4001 : undefined),
    url: undefined,
  };
  expect(kindOf(spec).gives(spec, facts).fields).toEqual({ port_1025: "4001", port_53_udp: "53" });
  expect(service(text("port_53_udp"), "web").env).toEqual({
    SMTP: "${services.mail.port_53_udp}",
  });
  expect(() => service(text("port_1026"), "web")).toThrow();
});

test("a service whose database has no place, or an unreadable password, is refused with that sentence", () => {
  const its = project(`[services.db]
type = "postgres"
[services.api]
command = "serve"
depends_on = ["db"]
`);
  const [db, api] = its.services;
  const facts = {
    ...{ id: "shop:api", project: "shop", directory: "/shop", port: 4000, url: undefined },
    ...{ portOf: () => undefined, machine: noKinds },
  };
  const options = { project: its, facts, giftOf: () => kindOf(db!).gives(db!, facts) };
  const refused = { kind: "mistakes", mistakes: ["there are no places for stores here"] } as const;
  expect(filledSpec({ spec: api!, shell: {} }, options)).toEqual(refused);
  expect(filledSpec({ spec: db!, shell: {} }, options)).toEqual(refused);
});

for (const type of serviceTypes) {
  test(`${type} gives the fields and variables that references are checked by`, () => {
    const own = ownOf(type);
    const spec = specOf({ name: "it", type, port: 4000, ...(own === undefined ? {} : { own }) });
    const facts = {
      id: "shop:it",
      project: "shop",
      directory: "/shop",
      port: 4000,
      portOf: () => 4001,
      url: "http://it.shop.localhost:9090",
      machine,
    };
    const { fields, variables } = kindOf(spec).gives(spec, facts);
    expect(Object.keys(fields).sort()).toEqual([...giftFields[type]].sort());
    expect(Object.keys(variables).sort()).toEqual([...giftVariables[type]].sort());
  });
}

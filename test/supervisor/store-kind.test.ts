/** Stores of a project: what their process is started from, and what they give to others. */
import { expect, test } from "bun:test";
import { type Order, orderVariable } from "../../src/manifest/order.ts";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { storeNames, type StoreName } from "../../src/manifest/types/own.ts";
import type { KindFacts } from "../../src/supervisor/types/kind.ts";
import { kindOf } from "../../src/supervisor/types/kinds.ts";
import { service } from "../manifest/manifest.ts";
import { noKinds } from "./no-kinds.ts";

const place = { folder: "/p", data: "/p/data", sockets: "/p/s", password: "/p/password" };

function made(store: StoreName, more = "") {
  const asked: string[] = [];
  const spec = service(`[services.it]\ntype = "${store}"\n${more}\n`, "it");
  const facts: KindFacts = {
    ...{ id: "shop:it", project: "shop", directory: "/shop", port: 4000, url: undefined },
    portOf: (suffix) => ({ smtp: 4025, console: 4001 })[suffix],
    machine: {
      ...noKinds,
      placeOf: () => place,
      passwordOf({ password }) {
        asked.push(password);
        return "s3cret";
      },
    },
  };
  const launched = (): ServiceSpec => kindOf(spec).launched(spec, facts);
  return { asked, launched, gives: () => kindOf(spec).gives(spec, facts) };
}

for (const store of storeNames) {
  test(`${store}: its password is made before it starts, and does not stand in its order`, () => {
    const { asked, launched } = made(store);
    const { env, health, pty } = launched();
    expect(asked).toEqual([place.password]);
    expect(JSON.stringify(env)).not.toContain("s3cret");
    const order = JSON.parse(env[orderVariable]!) as Order;
    expect(order).toMatchObject({ port: 4000, place, own: { kind: "store", store } });
    expect(pty).toBe(false);
    const path = { minio: "/minio/health/ready", mailpit: "/readyz" }[store as string];
    expect(health!.ask).toEqual(
      path === undefined ? { kind: "store", store } : { kind: "http", path },
    );
  });

  test(`${store}: what it gives leads to 127.0.0.1, where it listens, and nowhere else`, () => {
    const { fields, variables } = made(store).gives();
    for (const text of Object.values({ ...fields, ...variables })) {
      if (text.includes("://")) expect(new URL(text).hostname).toBe("127.0.0.1");
      expect(text).not.toBe("localhost");
    }
  });
}

test("mailpit and minio have a further port each, which is in the order and in what they give", () => {
  const mail = made("mailpit");
  expect(JSON.parse(mail.launched().env[orderVariable]!).ports).toEqual({ smtp: 4025 });
  expect(mail.gives().variables).toMatchObject({ SMTP_HOST: "127.0.0.1", SMTP_PORT: "4025" });
  const files = made("minio", 'buckets = ["uploads", "other"]');
  expect(JSON.parse(files.launched().env[orderVariable]!).ports).toEqual({ console: 4001 });
  expect(files.gives()).toMatchObject({
    fields: { console_url: "http://127.0.0.1:4001", bucket: "uploads" },
    variables: { S3_ENDPOINT: "http://127.0.0.1:4000", S3_BUCKET: "uploads" },
  });
});

test("the URLs of stores, as clients read them", () => {
  const url = (store: StoreName, more?: string) => made(store, more).gives().fields.url;
  expect(url("redis")).toBe("redis://:s3cret@127.0.0.1:4000/0");
  expect(url("mysql", 'database = "shop"')).toBe("mysql://root:s3cret@127.0.0.1:4000/shop");
  expect(url("mongodb")).toBe("mongodb://root:s3cret@127.0.0.1:4000/app?authSource=admin");
});

test("a check of the file's own is asked in the place of the store's", () => {
  const { health } = made("redis", 'health_check = { type = "tcp" }').launched();
  expect(health!.ask).toEqual({ kind: "tcp" });
});

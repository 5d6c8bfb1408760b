/** Names of images that are built, and the label by which they are known. */
import { expect, test } from "bun:test";
import { imageLabels, imageTag } from "../../../src/containers/build/image-tag.ts";

const service = {
  ...{ owner: "ab12", project: "shop", directory: "/home/me/shop", service: "web" },
  digest: (text: string) => (text === "ab12 /home/me/shop" ? "1f2e3d4c" : "00000000"),
};

test("a service's image has a name of its own in each folder", () => {
  expect(imageTag(service)).toBe("localhostess/shop-1f2e3d4c-web");
  expect(imageTag({ ...service, directory: "/home/me/other" })).toContain("-00000000-");
});

test("any project's name makes a name that engines take", () => {
  const name = imageTag({
    ...service,
    project: "Fix-Nav.Größe__x-",
    service: "...",
    digest: () => "1",
  });
  expect(name).toBe("localhostess/fix-nav-gr-e-x-1-x");
});

test("the label is none that containers are known by", () => {
  expect(imageLabels(service)).toEqual({ "localhostess.built": "ab12 /home/me/shop web" });
});

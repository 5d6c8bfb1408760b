import { describe, expect, test } from "bun:test";
import { buildVariables, creatorWords } from "../../../src/containers/build/creator-words.ts";

const builder = {
  ...({ api: "0.12", uid: 1001, gid: 1000 } as const),
  folders: { app: "/workspace", layers: "/layers", platform: "/platform", buildpacks: "/b" },
};

const usual = {
  builder,
  image: "localhostess/shop-1f2e3d4c-web:0123456789abcdef",
  previous: undefined,
  runImage: "sha256:2",
  order: undefined,
  clean: false,
};

describe("the words of a creator", () => {
  test("name its folders, caches, user and run image, and the image last", () => {
    expect(creatorWords(usual).join(" ")).toBe(
      "-daemon -app /workspace -layers /layers -platform /platform -cache-dir /cache" +
        " -launch-cache /launch-cache -uid 1001 -gid 1000 -run-image sha256:2" +
        " localhostess/shop-1f2e3d4c-web:0123456789abcdef",
    );
  });

  test("name an order, the image before, and that nothing is restored, where that is so", () => {
    const words = creatorWords({ ...usual, order: "/o.toml", previous: "x:1", clean: true });
    expect(words.join(" ")).toContain(" -order /o.toml -previous-image x:1 -skip-restore ");
  });
});

describe("the variables of a build", () => {
  test("are the API's, and the person's proxies in both spellings, which buildpacks have too", () => {
    const person = {
      http_proxy: "http://proxy.example:3128",
      NO_PROXY: "internal",
      HTTPS_PROXY: "",
    };
    const { env, platform, notes } = buildVariables(builder, { person, declared: { A: "1" } });
    const proxies = {
      ...{ HTTP_PROXY: "http://proxy.example:3128", http_proxy: "http://proxy.example:3128" },
      ...{ NO_PROXY: "internal", no_proxy: "internal" },
    };
    expect(platform).toEqual({ ...proxies, A: "1" });
    expect(env).toEqual([
      ...["CNB_PLATFORM_API=0.12", "CNB_NO_COLOR=true"],
      ...Object.entries(proxies).map(([name, value]) => `${name}=${value}`),
    ]);
    expect(notes).toEqual([]);
  });

  for (const proxy of [
    "http://127.0.0.1:8080",
    "localhost:8080",
    "http://[::1]:1",
    "http://a.localhost",
  ]) {
    test(`have no proxy at ${proxy}, which is another machine inside, and a line that says so`, () => {
      const { env, platform, notes } = buildVariables(builder, {
        ...{ person: { HTTPS_PROXY: proxy }, declared: {} },
      });
      expect(env).toHaveLength(2);
      expect(platform).toEqual({});
      expect(notes).toEqual([expect.stringContaining("HTTPS_PROXY is an address of this machine")]);
    });
  }

  test("that the file declares beat the person's", () => {
    const declared = { HTTP_PROXY: "http://other.example" };
    const { platform } = buildVariables(builder, { person: { HTTP_PROXY: "http://p" }, declared });
    expect(platform.HTTP_PROXY).toBe("http://other.example");
  });

  test("have credentials of registries only as the lifecycle's own, and not the buildpacks'", () => {
    const person = { CNB_REGISTRY_AUTH: '{"r":"Basic eDp5"}', HOME: "/root" };
    const { env, platform } = buildVariables(builder, { person, declared: {} });
    expect(env).toContain('CNB_REGISTRY_AUTH={"r":"Basic eDp5"}');
    expect(platform).toEqual({});
  });
});

/** An engine's answer about an image -> the builder that it is: its lifecycle, user, folders and run image. Pure. */

export type BuilderImage = {
  id: string;
  /** `arm64`; undefined: the engine does not say. */
  architecture: string | undefined;
  /** The newest Platform API that both of us know. */
  api: PlatformApi;
  /** Numbers of the user whom buildpacks run as. */
  uid: number;
  gid: number;
  /** Absolute, inside. */
  folders: { app: string; layers: string; platform: string; buildpacks: string };
  runImage: string;
  /** Those inside, in the order of its own list. */
  buildpacks: readonly KnownBuildpack[];
  /** Its own groups, as `heroku/nodejs@3.2.0` or without a version. */
  order: readonly (readonly OrderEntry[])[];
};

export type OrderEntry = { written: string; optional: boolean };

export type KnownBuildpack = { id: string; version: string };

export type ReadBuilder =
  | { kind: "builder"; builder: BuilderImage }
  /** `why`: a sentence that begins with the image's name. */
  | { kind: "bad"; why: string };

/** Newest first. buildpacks/spec, platform.md. */
export const platformApis = ["0.14", "0.13", "0.12", "0.11", "0.10"] as const;

export type PlatformApi = (typeof platformApis)[number];

type Table = Readonly<Record<string, unknown>>;

const label = {
  metadata: "io.buildpacks.builder.metadata",
  apis: "io.buildpacks.lifecycle.apis",
  order: "io.buildpacks.buildpack.order",
} as const;

export function readBuilder(value: unknown, { name }: { name: string }): ReadBuilder {
  const image = table(value);
  const config = table(image.Config);
  const labels = table(config.Labels);
  const metadata = tableIn(labels[label.metadata]);
  if (metadata === undefined || typeof image.Id !== "string") {
    return bad(
      `${name} is no builder: it has no label ${label.metadata}; name one, such as heroku/builder:24`,
    );
  }
  const { Os: os, Architecture: architecture } = image;
  if (typeof os === "string" && os !== "" && os !== "linux") {
    return bad(`${name} is a builder for ${os}, and only those for linux are run here`);
  }
  const spoken = apisIn(tableIn(labels[label.apis]) ?? table(table(metadata.lifecycle).apis));
  const api = platformApis.find((its) => spoken.includes(its));
  if (api === undefined) {
    const its =
      spoken.length === 0 ? "does not say which Platform API" : `speaks ${spoken.join(", ")}`;
    const ours = `${platformApis.at(-1)} to ${platformApis[0]}`;
    return bad(
      `the lifecycle of ${name} ${its}, and we speak Platform API ${ours}; use a newer one`,
    );
  }
  const runImage = runImageIn(metadata);
  if (runImage === undefined) {
    return bad(`${name} does not name the run image that its results stand on; use a newer one`);
  }
  const env = environment(config.Env);
  const uid = count(env.get("CNB_USER_ID"));
  const gid = count(env.get("CNB_GROUP_ID"));
  if (uid === undefined || gid === undefined) {
    return bad(`${name} is no builder: it has no CNB_USER_ID and CNB_GROUP_ID; use a newer one`);
  }
  return {
    kind: "builder",
    builder: {
      ...{ id: image.Id, api, uid, gid, runImage },
      architecture:
        typeof architecture === "string" && architecture !== "" ? architecture : undefined,
      // buildpacks/spec, extensions/builder.md, "Environment Variables".
      folders: {
        app: folder(env.get("CNB_APP_DIR")) ?? "/workspace",
        layers: folder(env.get("CNB_LAYERS_DIR")) ?? "/layers",
        platform: folder(env.get("CNB_PLATFORM_DIR")) ?? "/platform",
        buildpacks: folder(env.get("CNB_BUILDPACKS_DIR")) ?? "/cnb/buildpacks",
      },
      buildpacks: buildpacksIn(metadata),
      order: orderIn(valueIn(labels[label.order])),
    },
  };
}

/** Oldest first. */
function apisIn(apis: Table): string[] {
  const { supported, deprecated } = table(apis.platform);
  const all = [supported, deprecated].flatMap((its) => (Array.isArray(its) ? its : []));
  const known = all.filter((its): its is string => /^\d+\.\d+$/.test(String(its)));
  const rank = (its: string): number =>
    Number(its.split(".")[0]) * 1000 + Number(its.split(".")[1]);
  return [...new Set(known)].sort((one, other) => rank(one) - rank(other));
}

/** The first of those that there are: which one an extension would choose is not ours to know. */
function runImageIn(metadata: Table): string | undefined {
  const [first] = Array.isArray(metadata.images) ? metadata.images : [];
  const stack = table(table(metadata.stack).runImage).image;
  return [table(first).image, stack].find(
    (its): its is string => typeof its === "string" && its !== "",
  );
}

function buildpacksIn({ buildpacks }: Table): KnownBuildpack[] {
  const all = Array.isArray(buildpacks) ? buildpacks : [];
  return all.flatMap((its) => {
    const { id, version } = table(its);
    return typeof id === "string" && typeof version === "string" ? [{ id, version }] : [];
  });
}

/** `NAME=value` each. */
function environment(list: unknown): Map<string, string> {
  const lines = Array.isArray(list) ? list.filter((its) => typeof its === "string") : [];
  return new Map(lines.map((its) => [its.split("=", 1)[0]!, its.slice(its.indexOf("=") + 1)]));
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function folder(text: string | undefined): string | undefined {
  return text?.startsWith("/") ? text : undefined;
}

function orderIn(order: unknown): OrderEntry[][] {
  const groups = Array.isArray(order) ? order : [];
  return groups.map((its) => {
    const { group } = table(its);
    return (Array.isArray(group) ? group : []).flatMap((one) => {
      const { id, version, optional } = table(one);
      if (typeof id !== "string" || id === "") return [];
      const written = typeof version === "string" && version !== "" ? `${id}@${version}` : id;
      return [{ written, optional: optional === true }];
    });
  });
}

function tableIn(text: unknown): Table | undefined {
  const value = valueIn(text);
  return isTable(value) ? value : undefined;
}

function valueIn(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A label that is no JSON says nothing.
    return undefined;
  }
}

function table(value: unknown): Table {
  return isTable(value) ? value : {};
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(why: string): ReadBuilder {
  return { kind: "bad", why };
}

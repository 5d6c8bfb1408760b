import { expect, test } from "bun:test";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { download, type Unfetched } from "../../src/system/download.ts";
import { eventually } from "../support/eventually.ts";
import { sha512Of } from "../support/tarball.ts";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 251));
const sha512 = sha512Of(content);

/** `seen` resolves when the client has told of so many bytes. */
type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  seen: (length: number) => Promise<void>,
) => void;

type Asked = {
  bytes?: Uint8Array;
  error?: Unfetched;
  /** The ranges that were asked for. */
  asked: (string | undefined)[];
  told: string[];
};

/** Answers in their order, the last one ever after. */
async function from(
  answers: readonly Answer[],
  more: { limit?: number; sha512?: string; patience?: number } = {},
): Promise<Asked> {
  const asked: Asked["asked"] = [];
  const told: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.range);
    const already = told.length;
    const seen = (length: number) =>
      eventually("bytes are told", () =>
        told.slice(already).some((its) => its.startsWith(`${length}/`)),
      );
    answers[Math.min(asked.length, answers.length) - 1]!(request, response, seen);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    const bytes = await download({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.tgz`,
      ...{ sha512, limit: 1_000_000, pauses: [1, 1], ...more },
      onProgress: (received, total) => void told.push(`${received}/${total}`),
    });
    return { bytes, asked, told };
  } catch (error) {
    return { error: error as Unfetched, asked, told };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const says =
  (status: number, body: Uint8Array | string = "no"): Answer =>
  (_request, response) =>
    void response.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(body);

const whole = says(200, content);

/** Ends the connection before the end of what it has announced. */
function cutOff(end: number): Answer {
  return (_request, response, seen) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, end));
    void seen(end).then(() => response.destroy());
  };
}

const rest: Answer = ({ headers }, response) => {
  const start = Number(/bytes=(\d+)-/.exec(headers.range!)![1]);
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(206, { "content-range": range }).end(content.subarray(start));
};

test("the bytes are given out when their hash is right, and told as they come", async () => {
  const { bytes, asked, told } = await from([whole]);
  expect(Buffer.from(bytes!).equals(content)).toBe(true);
  expect(asked).toEqual([undefined]);
  expect(told.at(-1)).toBe("300000/300000");
});

test("a redirect is followed", async () => {
  const { bytes } = await from([
    (_request, response) => void response.writeHead(302, { location: "/elsewhere" }).end(),
    whole,
  ]);
  expect(bytes?.length).toBe(content.length);
});

test("a file with another hash is fetched once more, and then refused", async () => {
  const other = says(200, Buffer.alloc(content.length));
  const { error, asked } = await from([other]);
  expect(error?.message).toContain("its hash is another; nothing of it was unpacked");
  expect(error?.passing).toBe(false);
  expect(asked).toHaveLength(2);
  expect((await from([other, whole])).bytes?.length).toBe(content.length);
});

test("an answer that says no is told with its status, and only tried again where that may help", async () => {
  const refused = await from([says(404)]);
  expect(refused.error?.message).toEndWith("/x.tgz was answered with status 404");
  expect(refused.asked).toHaveLength(1);
  const busy = await from([says(503), whole]);
  expect(busy.bytes?.length).toBe(content.length);
});

test("a file that is too large is left at the limit, announced or not", async () => {
  const announced = await from([whole], { limit: 200_000 });
  expect(announced.error?.message).toContain("is larger than 195 KiB");
  const endless = await from(
    [
      (_request, response) => {
        let left = 40;
        const more = (): void => {
          if (left-- > 0) response.write(Buffer.alloc(65_536), more);
          else response.end();
        };
        more();
      },
    ],
    { limit: 200_000 },
  );
  expect(endless.error?.message).toContain("is larger than 195 KiB");
});

test("a server that says nothing is given up after a while", async () => {
  const { error, asked } = await from([() => {}], { patience: 60 });
  expect(error?.message).toEndWith("sent nothing for 0.06 s");
  expect(asked).toHaveLength(3);
  expect(error?.passing).toBe(true);
});

test("a registry that is not there is said to be so, which does not pass by itself", async () => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  const url = `http://127.0.0.1:${port}/x.tgz`;
  const error = await download({
    ...{ url, sha512, limit: 1000, pauses: [1, 1], onProgress() {} },
  }).catch((its: Unfetched) => its);
  expect(error).toMatchObject({ passing: false });
  expect((error as Unfetched).message).toMatch(/x\.tgz cannot be reached \(\w+\)$/);
});

test("a file that was cut off is gone on with where the server can", async () => {
  const { bytes, asked } = await from([cutOff(100_000), rest]);
  expect(Buffer.from(bytes!).equals(content)).toBe(true);
  expect(asked).toEqual([undefined, "bytes=100000-"]);
});

test("where the server begins again at the beginning, so do we", async () => {
  const { bytes, asked } = await from([cutOff(100_000), whole]);
  expect(Buffer.from(bytes!).equals(content)).toBe(true);
  expect(asked).toEqual([undefined, "bytes=100000-"]);
});

test("one that is cut off ever again is told with how far it came", async () => {
  const { error, asked } = await from([cutOff(100_000)]);
  expect(error?.message).toEndWith("was cut off after 98 KiB");
  expect(error?.passing).toBe(true);
  expect(asked).toHaveLength(3);
});

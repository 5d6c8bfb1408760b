/** Content-Types into gRPC, which needs HTTP/2, and all others, gRPC-Web among them. */
import { expect, test } from "bun:test";
import { encode } from "../../src/wire/bytes.ts";
import { isGrpc } from "../../src/wire/grpc.ts";

test.each([
  ["application/grpc", true],
  ["Application/GRPC", true],
  ["application/grpc+proto", true],
  ["application/grpc;charset=utf-8", true],
  ["application/grpc ; a=b", true],
  ["application/grpc-web", false],
  ["application/grpc-web+proto", false],
  ["application/grpcx", false],
  ["application/grp", false],
  ["application/connect+proto", false],
  ["", false],
])("%s: %p", (value, is) => {
  const bytes = encode(`x${value}`);
  expect(isGrpc(bytes, 1, bytes.length)).toBe(is);
});

/** Our own answers into the statuses that clients of gRPC read. */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/wire/h2/frame.ts";
import { grpcReply } from "../../src/proxy/pages/grpc-reply.ts";
import { encodeReply, textReply } from "../../src/proxy/pages/reply.ts";

test.each([
  [400, "13"],
  [401, "16"],
  [403, "7"],
  [404, "12"],
  [421, "2"],
  [429, "14"],
  [502, "14"],
  [503, "14"],
  [504, "14"],
  [508, "2"],
])("HTTP's %i is gRPC's %s, in an answer without a body", (status, code) => {
  const reply = grpcReply(textReply(status, "because"));
  expect([reply.status, reply.body]).toEqual([200, ""]);
  expect(Object.fromEntries(reply.fields)).toEqual({
    "Content-Type": "application/grpc",
    "grpc-status": code,
    "grpc-message": "because",
  });
});

test.each([
  [ErrorCode.cancel, "1"],
  [ErrorCode.enhanceYourCalm, "8"],
  [ErrorCode.refusedStream, "14"],
  [ErrorCode.internalError, "13"],
  [99, "13"],
])("RST_STREAM with %i is gRPC's %s", (reset, code) => {
  const { fields } = grpcReply(textReply(502, "because"), reset);
  expect(fields).toContainEqual(["grpc-status", code]);
});

test("a message is percent-encoded and of a length that every client takes", () => {
  const messageOf = (text: string) =>
    Object.fromEntries(grpcReply(textReply(502, text)).fields)["grpc-message"]!;
  expect(messageOf("50 % of ü\r\nx")).toBe("50 %25 of %C3%BC%0D%0Ax");
  expect(messageOf("x".repeat(5_000)).length).toBe(1_024);
  expect(messageOf("")).toBe("-");
  const bytes = encodeReply(grpcReply(textReply(502, "ü\r\n")), { head: false, close: true });
  expect(Buffer.from(bytes).toString()).toContain("\r\nContent-Length: 0\r\n");
});

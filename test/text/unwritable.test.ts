import { expect, test } from "bun:test";
import { unwritable, unwritableError, unwritableWhy } from "../../src/text/unwritable.ts";

test("what keeps the daemon from writing is told with its code, and the variable that helps", () => {
  for (const code of ["EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT", "EIO"]) {
    const error = Object.assign(new Error(`${code}: the system's words`), { code });
    const text = unwritable("/s/state.json", error);
    expect(text).toStartWith("/s/state.json cannot be written: ");
    expect(text).toContain(`(${code})`);
    expect(text).toContain("LOCALHOSTESS_STATE_DIR");
    expect(unwritableError("/s", error)).toMatchObject({ code, cause: error });
  }
});

test("anything else has the system's words", () => {
  const error = Object.assign(new Error("ELOOP: too many links"), { code: "ELOOP" });
  expect(unwritableWhy(error)).toBe("ELOOP: too many links");
  expect(unwritableWhy(new Error("odd"))).toBe("odd");
  expect(unwritableError("/s", error)).toBe(error);
});

/** The agent of launchd. */
import { expect, test } from "bun:test";
import { ownedText, ownershipOf, xmlComment } from "../../src/boot/owned-text.ts";
import { plistText } from "../../src/boot/plist-text.ts";
import { whereIs } from "../../src/system/search-path.ts";

const text = plistText({
  program: "/opt/my <bin>/localhostess",
  environment: { PATH: "/usr/bin:/a&b" },
  log: "/Users/me/Library/Application Support/localhostess/daemon.log",
});

test("the file that we write is known again, and one that was changed is not", () => {
  const its = ownedText(text, xmlComment);
  expect(ownershipOf(its)).toBe("ours");
  expect(ownershipOf(its.replace("120", "60"))).toBe("edited");
  expect(ownershipOf(text)).toBe("edited");
  expect(ownershipOf(`${its}more\n`)).toBe("edited");
});

// The parser of Python's library, where there is one; macOS has its own plutil.
test.skipIf(whereIs("python3", process.env.PATH) === undefined)(
  "a parser reads what it means",
  () => {
    const script =
      "import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
    const child = Bun.spawnSync(["python3", "-c", script], {
      stdin: Buffer.from(ownedText(text, xmlComment)),
    });
    expect(JSON.parse(child.stdout.toString())).toEqual({
      Label: "localhostess.daemon",
      ProgramArguments: ["/opt/my <bin>/localhostess", "server", "start", "--background"],
      EnvironmentVariables: { PATH: "/usr/bin:/a&b" },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      AbandonProcessGroup: true,
      ExitTimeOut: 120,
      ProcessType: "Interactive",
      StandardOutPath: "/Users/me/Library/Application Support/localhostess/daemon.log",
      StandardErrorPath: "/Users/me/Library/Application Support/localhostess/daemon.log",
    });
  },
);

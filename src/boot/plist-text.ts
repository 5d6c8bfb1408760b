/** The program's path and its environment -> the agent by which launchd runs the daemon. launchd.plist(5). */
import { daemonWords } from "./unit-text.ts";

export const launchdLabel = "localhostess.daemon";

export type PlistOptions = {
  /** Absolute; the path that stays the same when a newer version is installed. */
  program: string;
  environment: Readonly<Record<string, string>>;
  /** Where words go that the daemon says before it has its log. */
  log: string;
};

/** The comment is the first line behind the declaration, for whoever opens the file. */
export function plistText({ program, environment, log }: PlistOptions): string {
  const words = [program, ...daemonWords].map((word) => `    ${stringText(word)}\n`).join("");
  const variables = Object.entries(environment)
    .map(([name, value]) => `    <key>${escaped(name)}</key>\n    ${stringText(value)}\n`)
    .join("");
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${stringText(launchdLabel)}
  <key>ProgramArguments</key>
  <array>
${words}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables}  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>AbandonProcessGroup</key>
  <true/>
  <key>ExitTimeOut</key>
  <integer>120</integer>
  <key>ProcessType</key>
  <string>Interactive</string>
  <key>StandardOutPath</key>
  ${stringText(log)}
  <key>StandardErrorPath</key>
  ${stringText(log)}
</dict>
</plist>
`;
}

function stringText(text: string): string {
  return `<string>${escaped(text)}</string>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A Firefox profile's folder, and its preferences -> the file of them, in which Firefox has no traffic of its own. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const quiet = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.enabled": false,
};

export async function writePreferences(
  profile: string,
  more: Readonly<Record<string, string | number | boolean>>,
): Promise<void> {
  const lines = Object.entries({ ...more, ...quiet }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  await writeFile(join(profile, "user.js"), lines.join(""));
}

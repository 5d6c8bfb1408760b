/** The folder of a site -> the files of it that change: all but what packages and git write. */
import { watchPatterns } from "../../manifest/watch-pattern.ts";
import type { Clock } from "../../system/clock.ts";
import type { FolderEvents } from "../../system/folder-events.ts";
import type { SiteEffects } from "../service/served-site.ts";
import { WatchTree } from "./watch-tree.ts";

export function siteWatch(shared: { clock: Clock; events: FolderEvents }): SiteEffects["watch"] {
  return (folder, hear) => {
    const tree = new WatchTree(watchPatterns(["**"], folder), { folder, ...shared, ...hear });
    return () => tree.close();
  };
}

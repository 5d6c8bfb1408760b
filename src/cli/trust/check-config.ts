/** The contents of config.toml -> findings about its errors, and about its domains. Pure. */
import type { ReadConfig } from "../../manifest/config.ts";
import { riskOf } from "../../manifest/tld.ts";
import type { Finding } from "./finding.ts";

export function checkConfig(config: ReadConfig, tlds: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  if (config.kind === "mistakes") {
    for (const detail of config.mistakes) {
      findings.push({ check: "configuration", level: "broken", detail, fix: null });
    }
  }
  for (const tld of tlds) {
    const risk = riskOf(tld);
    const check = `names under .${tld}`;
    if (risk === undefined) {
      const detail = "browsers find them with the PAC file";
      findings.push({ check, level: "ok", detail, fix: null });
    } else {
      findings.push({ check, level: "warning", detail: risk, fix: 'tlds = ["test"]' });
    }
  }
  return findings;
}

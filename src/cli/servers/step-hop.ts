/** A server of another machine -> the hop to it: the connection, and the socket here that leads there. */
import { remoteOf, remoteStateText, remoteText } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import { shownDuration } from "../../text/duration.ts";
import { printable } from "../../text/printable.ts";
import { failed, passed, type Step, type Walk } from "./step.ts";

/** Characters of a sentence from ssh. */
const longest = 700;

/** Undefined for a server of this machine. */
export function hop({ name, source }: Service, { sight }: Pick<Walk, "sight">): Step | undefined {
  if (source !== "remote") return undefined;
  const remote = remoteOf(name, sight.remotes ?? []);
  const its = remote?.services.find((service) => service.name === name);
  if (remote === undefined || its === undefined) {
    return failed("hop", "the machine that it is on is not known any more", "localhostess remote");
  }
  if (remote.state !== "up") {
    return failed(
      "hop",
      printable(`${remoteText(remote)} is ${remoteStateText(remote)}`, longest),
      remote.fix ?? `to try again now: localhostess remote retry ${remote.name}`,
    );
  }
  const there = its.address.startsWith("/") ? its.address : `${its.address} port ${its.port}`;
  const since = shownDuration(Math.max(0, Date.now() - remote.changedAt));
  const by = remote.by === "script" ? "a script over ssh" : "localhostess there";
  const detail = [
    `over ssh to ${remoteText(remote)}, connected for ${since} (pid ${remote.pid}, ${remote.control})`,
    `${its.socket} leads to ${there} there`,
    `found by ${by}`,
  ].join("; ");
  return passed("hop", printable(detail, longest));
}

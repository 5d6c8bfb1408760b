/** A name and its server -> the certificate that vouches for it over https. */
import type { Service } from "../../routes/service.ts";
import { secureUrl } from "../../routes/service-row.ts";
import { maySignFor } from "../../tls/permitted.ts";
import { isSecured } from "./is-secured.ts";
import { failed, passed, type Step, type Walk } from "./step.ts";

type Certified = {
  step: Step;
  /** The proxy shows the certificate, and then reads the request. */
  ours: boolean;
};

/** The proxy's certificate authorities are those of the same state directory. */
export async function certificate(
  { target, host, byPac, sight, settings }: Walk,
  service: Service,
): Promise<Certified> {
  const { dial, port } = service.endpoint;
  // With the PAC file the request comes in a tunnel, in which the server itself may speak TLS.
  if (byPac && (await isSecured(dial[0]!, port))) {
    const detail = `${service.name} speaks TLS itself, with its own certificate for ${host}`;
    return { step: passed("certificate", detail), ours: false };
  }
  const [{ loadCertificateAuthority }, { certificateAuthorityOptions }] = await Promise.all([
    import("../../tls/certificate-authority.ts"),
    import("../shared/machine.ts"),
  ]);
  const domain = target.kind === "name" ? target.domain : "localhost";
  const fail = (detail: string, fix: string): Certified => ({
    step: failed("certificate", detail, fix),
    ours: false,
  });
  const loaded = await loadCertificateAuthority(
    certificateAuthorityOptions(domain === "" ? "bare" : "names", settings),
  );
  if (loaded.kind === "broken") {
    return fail(loaded.problems.join("; "), "for details: localhostess doctor");
  }
  if (loaded.kind === "absent") {
    if (domain !== "") {
      const detail = "the first connection creates the certificate authority";
      return { step: passed("certificate", detail, "localhostess trust"), ours: true };
    }
    return fail(
      `no certificate authority signs for names without a dot, so ${host} is served with the certificate of ${service.name}.localhost`,
      `${secureUrl(target.kind === "name" ? target.name : service.name, sight.urlPorts.https)}${target.path}, or a second authority: localhostess trust --bare-names`,
    );
  }
  const { commonName, permitted } = loaded.ca;
  if (domain !== "" && domain !== "localhost" && !maySignFor(domain, permitted)) {
    const detail = `the certificate authority (${commonName}) may not sign for names under .${domain}`;
    return fail(detail, "localhostess trust --renew");
  }
  return { step: passed("certificate", `${commonName} signs for ${host}`), ours: true };
}

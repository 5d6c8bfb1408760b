/** Services of type container on a real engine: Podman's. */
import { servicesOf } from "../support/services-of.ts";

servicesOf("podman");

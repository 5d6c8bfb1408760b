/** Services of type container on a real engine: Docker's. */
import { servicesOf } from "../support/services-of.ts";

servicesOf("docker");

/** Images that a real engine runs once, by their commands: Podman's. */
import { imagesOf } from "../support/images-of.ts";

imagesOf("podman");

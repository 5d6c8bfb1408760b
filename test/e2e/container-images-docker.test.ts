/** Images that a real engine runs once, by their commands: Docker's. */
import { imagesOf } from "../support/images-of.ts";

imagesOf("docker");

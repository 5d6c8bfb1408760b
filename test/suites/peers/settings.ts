/** What a peer is set up with: where its files go, the server behind it, and a certificate for its name. */
import type { Program } from "../../bench/crew.ts";
import type { Crew } from "../../bench/crew.ts";

export type Settings = {
  /** An empty directory. */
  readonly dir: string;
  readonly port: number;
  readonly securePort: number;
  /** The port of the server behind it. */
  readonly backend: number;
  /** `h2c`: the server speaks HTTP/2 alone. */
  readonly scheme: "http" | "h2c";
  readonly host: string;
  /** Files of PEM: the chain, its key, and both in one file. */
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
};

export type Peer = {
  readonly name: string;
  readonly program: string;
  /** To servers, for requests of any kind. */
  readonly speaksH2: boolean;
  /** Arguments that print a version, and the part of what is printed. */
  readonly version: { readonly argv: readonly string[]; readonly pattern: RegExp };
  start(crew: Crew, settings: Settings & { readonly argv0: string }): Program;
};

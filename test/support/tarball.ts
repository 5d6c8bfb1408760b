/** Entries -> a tarball as npm has it, also of what no honest package holds. */
import { gzipSync } from "node:zlib";

export type Entry = {
  path: string;
  text?: string;
  mode?: number;
  /** `0` a file, `2` a symbolic link, `5` a folder, `x` a header of pax, `L` a long name of GNU. */
  type?: string;
  /** Where a link leads. */
  target?: string;
};

function header({ path, text = "", mode = 0o644, type = "0", target = "" }: Entry): Buffer {
  const block = Buffer.alloc(512);
  block.write(path, 0, 100);
  block.write(mode.toString(8).padStart(7, "0"), 100);
  block.write(Buffer.byteLength(text).toString(8).padStart(11, "0"), 124);
  block.fill(" ", 148, 156);
  block.write(type, 156);
  block.write(target, 157, 100);
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

export function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const body = Buffer.from(entry.text ?? "");
    return [header(entry), body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function tarballOf(entries: readonly Entry[]): Buffer {
  return gzipSync(tarOf(entries));
}

export function sha512Of(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha512").update(bytes).digest("base64");
}

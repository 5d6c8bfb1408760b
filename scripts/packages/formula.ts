/** The tarballs' checksums -> a formula for Homebrew. */
import type { Platform } from "./platforms.ts";
import { tarballName } from "./platform-tarball.ts";

export type FormulaOptions = {
  version: string;
  description: string;
  license: string;
  /** Where the tarballs are published, without a slash at the end. */
  url: string;
  /** The SHA-256 of a platform's tarball, in hexadecimal digits. */
  sums: ReadonlyMap<Platform, string>;
};

const systems = { darwin: "on_macos", linux: "on_linux" } as const;
const processors = { arm64: "on_arm", x64: "on_intel" } as const;

export function formula({ version, description, license, url, sums }: FormulaOptions): string {
  const blocks = Object.entries(systems).flatMap(([os, system]) => {
    const inner = Object.entries(processors).flatMap(([cpu, processor]) => {
      // Homebrew itself needs glibc on Linux.
      const platform = [...sums.keys()].find(
        (its) => its.os === os && its.cpu === cpu && its.libc !== "musl",
      );
      if (platform === undefined) return [];
      return [
        `    ${processor} do`,
        `      url "${url}/${tarballName(version, platform)}.tar.gz"`,
        `      sha256 "${sums.get(platform)}"`,
        "    end",
      ];
    });
    return inner.length === 0 ? [] : [`  ${system} do`, ...inner, "  end", ""];
  });
  return `# ${description}
class Localhostess < Formula
  desc "${description.replace(/\.$/, "")}"
  homepage "${url}"
  version "${version}"
  license "${license}"

${blocks.join("\n")}
  def install
    bin.install "bin/localhostess"
    libexec.install Dir["libexec/*"] if OS.linux?
    man1.install Dir["share/man/man1/*"]
    bash_completion.install "share/bash-completion/completions/localhostess"
    zsh_completion.install "share/zsh/site-functions/_localhostess"
    fish_completion.install "share/fish/vendor_completions.d/localhostess.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/localhostess --version")
  end
end
`;
}

/** A listening process -> the reason why its folder does not name it: a tool of a person, and not a server. Pure. */
import { isContainerListener } from "./container-listeners.ts";
import { type CommandWords, commandWords } from "./command-words.ts";

export type Row = {
  /** A clause for a person: what it is, and so why it gets no name. */
  why: string;
  /** Among the servers without a name, because a person may want to name it. */
  isListed?: true;
  /** Whole names of programs, of packages and of Python's modules. */
  programs?: readonly string[];
  /** In the path of the program or of the script that it runs. */
  path?: RegExp;
  /** In the whole command line: only where a program shows what it is by its options. */
  command?: RegExp;
};

/**
 * Everything here may listen while a person works in a project's folder, and none of it is what they would open by
 * name. What is missing is named like a server, which does no harm: a name more in `ls`, until `localhostess name
 * --forget`.
 */
export const neverNamed: readonly Row[] = [
  {
    why: "a daemon of localhostess, of this installation or of another",
    programs: ["localhostess"],
    command: /(?:\/localhostess|\/src\/main\.ts)(?: \S+)*? server start(?: |$)/,
  },
  {
    why: "an editor, or a process of one: its ports are for its own windows and extensions",
    programs: [
      ...["code", "code-insiders", "code-oss", "code-server", "code-tunnel", "codium", "vscodium"],
      ...["cursor", "windsurf", "trae", "kiro", "positron", "zed", "zed-editor", "zeditor"],
      ...["idea", "idea.sh", "webstorm", "pycharm", "goland", "phpstorm", "rubymine", "clion"],
      ...["rider", "rustrover", "datagrip", "studio", "studio.sh", "fleet", "jetbrains-toolbox"],
      ...["remote-dev-server", "subl", "sublime_text", "emacs", "emacsclient", "nvim", "vim"],
      ...["hx", "kak", "lapce", "nova", "bbedit", "theia", "openvscode-server", "rstudio"],
    ],
    // Cursor keeps worktrees of projects in its folder too.
    path: /\/\.(?:vscode|cursor|windsurf|kiro|trae|positron)(?:-server|-oss|-insiders|-remote)?\/(?!worktrees\/)|\/\.zed_server\/|\/[Zz]ed\/(?:languages|node|extensions|server)|\/(?:\.local\/share|\.cache|\.config|Application Support|Caches)\/(?:JetBrains|Google\/AndroidStudio[^/]*)\/|^\/(?:usr|opt)\/(?:share\/|lib\/)?(?:code|cursor|codium|windsurf|jetbrains)\/|(?:Code Helper|Visual Studio Code|Cursor|Windsurf|Zed|IntelliJ IDEA|PyCharm|WebStorm)[^/]*\.app\//,
    command: /\bcom\.intellij\.|--ms-enable-electron-run-as-node|\.vscode-server\/(?:bin|cli)\//,
  },
  {
    why: "a browser, or a program that drives one: its port is for debuggers",
    programs: [
      ...["chrome", "google-chrome", "google-chrome-stable", "chromium", "chromium-browser"],
      ...["chrome-headless-shell", "headless_shell", "chrome_crashpad_handler", "msedge"],
      ...["microsoft-edge", "brave", "brave-browser", "opera", "vivaldi", "vivaldi-bin", "arc"],
      ...[
        "firefox",
        "firefox-esr",
        "firefox-bin",
        "librewolf",
        "safari",
        "epiphany",
        "thunderbird",
      ],
      ...["chromedriver", "geckodriver", "msedgedriver", "safaridriver", "WebKitWebDriver"],
      ...["MiniBrowser", "electron", "Electron", "selenium-server", "selenium-standalone"],
    ],
    path: /\/ms-playwright\/|\/\.cache\/puppeteer\/|(?:Google Chrome|Chromium|Firefox|Microsoft Edge|Brave Browser|Safari)[^/]*\.app\//,
    command: /(?:^| )--(?:remote-debugging-(?:port|pipe)|marionette|user-data-dir)\b/,
  },
  {
    why: "a language server: editors speak to it, in a protocol of their own",
    programs: [
      ...["gopls", "clangd", "ccls", "zls", "jdtls", "rust-analyzer", "omnisharp", "OmniSharp"],
      ...["intelephense", "pylsp", "pyls", "pyright", "basedpyright", "jedi-language-server"],
      ...["ruff", "ty", "pyrefly", "solargraph", "sorbet", "srb", "steep", "metals", "texlab"],
      ...["digestif", "marksman", "nil", "nixd", "taplo", "sqls", "tsserver", "vtsls", "vls"],
      ...[
        "svelteserver",
        "volar",
        "eslintServer",
        "biome",
        "nimlangserver",
        "elixir-ls",
        "lexical",
      ],
      ...["expert", "next-ls", "erlang_ls", "elp", "psalm", "copilot-agent", "copilot"],
    ],
    path: /(?:^|[/_-])(?:lsp|langserver|language-?server|language_server|languageserver)(?:[./_-][^/]*)?$|\/eclipse\.jdt\.ls\/|\/kotlin-lsp\//i,
    command:
      /org\.eclipse\.jdt\.ls|org\.eclipse\.equinox\.launcher|(?:^| )language-server(?: |$)|(?:^| )--lsp\b/,
  },
  {
    why: "a debugger or its adapter: what it debugs is named by itself",
    programs: [
      ...["dlv", "dlv-dap", "gdb", "gdbserver", "lldb", "lldb-server", "lldb-dap", "lldb-vscode"],
      ...["codelldb", "debugserver", "netcoredbg", "vsdbg", "vsdbg-ui", "rdbg", "node-inspect"],
      ...["ndb", "rr", "pydevd", "debugpy-adapter", "dapDebugServer", "elixir-ls-debugger"],
    ],
    path: /\/debugpy\/(?:adapter|launcher)(?:\/|$)|\/(?:js-debug|vscode-js-debug|debugAdapter|debug-adapter)(?:\/|$)|pydevd\.py$/,
    command: /(?:^| )-m debugpy\.adapter\b/,
  },
  {
    why: "a kernel of notebooks, or a worker of a cluster: only its notebook or its scheduler speaks to it",
    programs: [
      ...["ipykernel_launcher", "ipykernel", "xpython", "xeus", "evcxr_jupyter", "rsession", "ark"],
      ...["raylet", "gcs_server", "plasma_store", "dask-worker", "daprd"],
    ],
  },
  {
    why: "a daemon of a build tool: only that tool speaks to it",
    programs: [
      ...["bazel", "buck2d", "buckd", "pantsd", "watchman", "sccache", "sccache-dist", "distccd"],
      ...["icecc-scheduler", "nailgun", "ng-server", "bloop", "sbtn", "eslint_d", "prettierd"],
      ...["VBCSCompiler", "VBCSCompiler.dll", "MSBuild.dll", "zinc", "spring", "bootsnap", "goma"],
    ],
    path: /\/nx\/(?:src|bin|dist)\/.*daemon|\/parcel-watcher\//,
    command:
      /\borg\.gradle\.launcher\.daemon\b|GradleDaemon\b|\bKotlinCompileDaemon\b|(?:^|\/)turbo(?: | .* )daemon\b|^bazel\(|xsbt\.boot\.Boot|\bmill-daemon\b|spring (?:server|app)\b/,
  },
  {
    isListed: true,
    why: "a run of tests: its ports come and go with the tests, and the servers it starts have names of their own",
    programs: [
      ...["vitest", "jest", "jest-worker", "mocha", "ava", "tap", "karma", "cypress", "Cypress"],
      ...["playwright", "wtr", "web-test-runner", "testcafe", "nightwatch", "wdio", "pytest"],
      ...["py.test", "tox", "nox", "rspec", "cucumber", "phpunit", "pest", "behave", "nose2"],
    ],
    path: /\.test$|\/target\/\w+\/deps\/|\/node_modules\/(?:vitest|jest-worker|@playwright\/test)\//,
    command:
      /^(?:\S*\/)?(?:bun|node|deno|go|cargo|mix|rails|python[\d.]*)(?:\.exe)? (?:-\S+ )*(?:test|--test)(?: |$)|(?:^| )-m (?:pytest|unittest)\b/,
  },
  {
    isListed: true,
    why: "a program that starts others: its port is for its own commands, and each of the others has a name",
    programs: [
      ...["process-compose", "tilt", "skaffold", "overmind", "goreman", "hivemind", "pm2", "tmux"],
      ...["supervisord", "s6-svscan", "devspace", "garden", "telepresence", "mirrord", "devenv"],
      ...["screen", "zellij", "mprocs", "ttyd", "gotty", "sshd", "systemd", "act_runner"],
    ],
    command: /^PM2 v|God Daemon/,
  },
  {
    isListed: true,
    why: "a proxy that gives names or addresses itself",
    programs: ["portless", "puma-dev", "hotel", "chalet", "valet", "pitchfork"],
  },
  {
    isListed: true,
    why: "a way to a server in another place, which `localhostess name` can name",
    programs: [
      ...["ssh", "autossh", "sshuttle", "mosh", "kubectl", "oc", "k9s", "kubefwd", "socat", "ncat"],
      ...["nc", "nc.openbsd", "nc.traditional", "netcat", "ngrok", "cloudflared", "tailscale"],
      ...["tailscaled", "lt", "localtunnel", "bore", "frpc", "frps", "chisel", "gost", "stunnel"],
      ...["stunnel4", "tor", "cloud-sql-proxy", "cloud_sql_proxy", "session-manager-plugin"],
      ...["adb", "scrcpy", "iproxy", "usbmuxd", "wireguard-go", "openvpn", "stripe", "gcloud"],
    ],
  },
  {
    why: "a part of a container engine or of a virtual machine: containers have names of their own",
    programs: [
      // And those that pass on to containers: container-listeners.ts.
      ...["dockerd", "docker", "containerd", "containerd-shim", "podman", "passt"],
      ...["com.docker.proxy", "colima"],
      ...["buildkitd", "nerdctl", "k3s", "kubelet", "minikube", "kind", "crio", "VBoxHeadless"],
      ...["qemu-system-x86_64", "qemu-system-aarch64", "firecracker", "vfkit", "emulator"],
    ],
  },
  {
    isListed: true,
    why: "a program that keeps files the same on several machines",
    programs: [
      ...["syncthing", "dropbox", "dropboxd", "onedrive", "nextcloud", "owncloud", "insync"],
      ...["rslsync", "unison", "mutagen", "mutagen-agent", "rclone", "rsync", "lsyncd", "maestral"],
      ...["megasync", "seaf-daemon", "ccnet", "git-daemon", "kdeconnectd", "magic-wormhole"],
    ],
  },
  {
    why: "an assistant that works in the folder: its port is for its own windows",
    programs: [
      ...["claude", "codex", "gemini", "opencode", "aider", "goose", "amp", "cursor-agent", "qwen"],
      ...["ollama", "llama-server", "lms", "copilot-language-server", "crush", "cline", "auggie"],
    ],
    path: /\/\.(?:claude|codex|gemini|opencode)\/(?!worktrees\/)|\/@(?:anthropic-ai|openai|google)\/(?:claude-code|codex|gemini-cli)\//,
  },
  {
    why: "a part of the desktop or of the system",
    programs: [
      ...["Xorg", "Xvfb", "Xvnc", "Xtigervnc", "x11vnc", "Xwayland", "pulseaudio", "pipewire"],
      ...["dbus-daemon", "cupsd", "gpg-agent", "ssh-agent", "avahi-daemon", "rpcbind", "xrdp"],
      ...["mDNSResponder", "rapportd", "ControlCenter", "ControlCe", "spotify", "steam"],
    ],
  },
];

const byProgram = new Map(
  neverNamed.flatMap((row) => (row.programs ?? []).map((its) => [its, row] as const)),
);

const byText = neverNamed.filter((row) => row.path !== undefined || row.command !== undefined);

/** Undefined: its folder may name it. */
export function neverNamedAs(its: CommandWords): Row | undefined {
  if (isContainerListener(its)) return byProgram.get("dockerd");
  const { command, program, tool, paths, own } = its;
  // A program that was built in the folder may be called as it likes.
  const known = own ? undefined : (byProgram.get(program) ?? byProgram.get(tool ?? ""));
  if (known !== undefined) return known;
  for (const row of byText) {
    if (row.command?.test(command)) return row;
    if (row.path !== undefined && paths.some((path) => row.path!.test(path))) return row;
  }
  return undefined;
}

/** Whether nobody would call it a server: it is not among those without a name either. */
export function isNoServer({
  command,
  cwd,
}: {
  command: string;
  cwd: string | undefined;
}): boolean {
  const row = neverNamedAs(commandWords(command, cwd === undefined ? [] : [cwd]));
  return row !== undefined && row.isListed !== true;
}

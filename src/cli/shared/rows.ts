/** Services -> lines for a terminal: aligned, and cut to its width. Pure. */
import type { Service } from "../../routes/service.ts";
import { serviceUrl } from "../../routes/service-row.ts";
import type { Colors } from "./world.ts";

export type RowOptions = {
  /** The proxy's port, in http URLs. */
  port: number;
  /** Undefined: lines may be of any length. */
  columns: number | undefined;
  colors: Colors;
  /** Names every port and process of a service. */
  verbose?: boolean;
};

/** A cell: its text, and its color. */
type Cell = { text: string; paint: (text: string) => string };

/** A wider cell shifts only its own row. In columns of a terminal: name, URL, port, pid. */
const widest = [24, 48, 12, 14];

const gap = "  ";

function cellsOf(service: Service, { port, colors, verbose = false }: RowOptions): Cell[] {
  const { endpoint, process, ports, pids } = service;
  const otherPorts = ports.filter((other) => other !== endpoint.port);
  const otherPids = pids.filter((other) => other !== process.pid);
  // `:3000 +2` keeps the row short.
  const more = (others: readonly number[], mark: string) => {
    if (others.length === 0) return "";
    return verbose ? others.map((other) => ` ${mark}${other}`).join("") : ` +${others.length}`;
  };
  return [
    { text: service.name, paint: service.routable ? colors.bold : colors.yellow },
    service.routable
      ? { text: serviceUrl(service.name, port), paint: colors.cyan }
      : { text: "(no address)", paint: colors.yellow },
    { text: `:${endpoint.port}${more(otherPorts, ":")}`, paint: String },
    { text: `pid ${process.pid}${more(otherPids, "")}`, paint: colors.dim },
    { text: service.command, paint: colors.dim },
  ];
}

/** Cuts at the edge of the terminal, counting wide characters as two. */
function fitted(line: string, columns: number | undefined): string {
  if (columns === undefined) return line;
  const cut = Bun.sliceAnsi(line, 0, columns, "…");
  // A wide character at the edge hangs over it by one.
  return Bun.stringWidth(cut) > columns ? Bun.sliceAnsi(line, 0, columns - 1, "…") : cut;
}

/** One line each, without line ends. */
export function serviceLines(services: readonly Service[], options: RowOptions): string[] {
  const rows = services.map((service) => cellsOf(service, options));
  const widths = widest.map((limit, column) =>
    Math.max(
      0,
      ...rows.map((row) => Bun.stringWidth(row[column]!.text)).filter((width) => width <= limit),
    ),
  );
  return rows.map((row) => {
    const cells = row.map(({ text, paint }, column) => {
      const missing = (widths[column] ?? 0) - Bun.stringWidth(text);
      return paint(text) + " ".repeat(Math.max(0, missing));
    });
    return fitted(cells.join(gap).trimEnd(), options.columns);
  });
}

/** The warnings of services, a sentence each; long ones are wrapped and indented. */
export function warningLines(services: readonly Service[], options: RowOptions): string[] {
  const { columns, colors } = options;
  return services.flatMap((service) =>
    service.warnings.flatMap((warning) => {
      const text = `! ${service.name} (pid ${service.process.pid}): ${warning}`;
      const indent = gap;
      if (columns === undefined) return [text];
      const width = Math.max(1, columns - indent.length);
      const [first = "", ...others] = Bun.wrapAnsi(text, width, { hard: true }).split("\n");
      return [first, ...others.map((line) => indent + line)].map((line) => colors.yellow(line));
    }),
  );
}

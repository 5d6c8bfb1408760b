/** Requests in each of the last 60 seconds -> a row of bars. */
/** @jsxImportSource preact */

const height = 20;
const step = 2;

/** The tallest bar is the busiest second, but a lone request is no peak. */
const leastScale = 4;

export function Sparkline({ counts }: { counts: readonly number[] }) {
  const most = Math.max(leastScale, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const path = counts
    .map((count, at) => {
      if (count === 0) return "";
      const top = height - Math.max(2, Math.round((count / most) * height));
      return `M${at * step + 0.5} ${height}V${top}`;
    })
    .join("");
  const width = counts.length * step;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${total} ${total === 1 ? "request" : "requests"} in the last minute`}
    >
      <path class="floor" d={`M0 ${height - 0.5}H${width}`} />
      <path class="bars" d={path} />
    </svg>
  );
}

/** Rows of servers -> the same rows, where those of one repository's checkouts stand together. Pure. */

/** A server, or its row in JSON. */
export type OfCheckout = {
  checkout?: { repository: string; label?: string | null | undefined } | null | undefined;
};

export type Placed<Row> = {
  row: Row;
  /** The row is of a linked worktree, and stands below those of the main checkout. */
  below: boolean;
};

/**
 * Where a repository has servers in several checkouts, they stand in the place of the first: those of the main one,
 * then each worktree's by its label. Otherwise the order stays.
 */
export function byCheckout<Row extends OfCheckout>(rows: readonly Row[]): Placed<Row>[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const { repository } = row.checkout ?? {};
    if (repository === undefined) continue;
    const group = groups.get(repository) ?? [];
    groups.set(repository, group);
    group.push(row);
  }
  const placed = new Set<string>();
  return rows.flatMap((row) => {
    const { repository } = row.checkout ?? {};
    const group = repository === undefined ? [row] : groups.get(repository)!;
    if (repository === undefined || new Set(group.map(labelOf)).size < 2) {
      return [{ row, below: false }];
    }
    if (placed.has(repository)) return [];
    placed.add(repository);
    const hasMain = group.some((its) => labelOf(its) === "");
    return group
      .toSorted((one, other) => compare(labelOf(one), labelOf(other)))
      .map((its) => ({ row: its, below: hasMain && labelOf(its) !== "" }));
  });
}

function labelOf({ checkout }: OfCheckout): string {
  return checkout?.label ?? "";
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

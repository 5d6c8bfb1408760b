/** The git checkout that a service runs in, and the labels of its repository: values for names, lists and pages. */

export type ServiceCheckout = {
  /** The folder that all checkouts of the repository share; equal for services of one repository. */
  repository: string;
  /** The checkout's folder. */
  root: string;
  /** A linked worktree's; the main checkout has none. */
  label?: string | undefined;
  /** Undefined where HEAD is detached. */
  branch?: string | undefined;
};

/** The part of a checkout that a service keeps, where more of it is known. */
export function serviceCheckout(its: ServiceCheckout): ServiceCheckout {
  const { repository, root, label, branch } = its;
  return { repository, root, label, branch };
}

/** Where a label belongs: to a worktree, the main checkout, or to a branch that no checkout has. */
export type KnownLabel = { branch: string | undefined; root: string | undefined };

/** Checkouts at one moment, for the names of servers. */
export interface KnownCheckouts {
  /** The checkout that a folder stands in. */
  of(folder: string): ServiceCheckout | undefined;
  /** The labels of all worktrees and branches of a repository. */
  labels(repository: string): ReadonlyMap<string, KnownLabel>;
  /** The linked worktrees of a repository whose folders are there. */
  worktrees?(repository: string): readonly { label: string; root: string }[];
  /** The checkout of the server in a worktree that had this name before. */
  left?(name: string): ServiceCheckout | undefined;
}

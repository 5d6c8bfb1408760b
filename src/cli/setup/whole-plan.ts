/** The plans of all parts -> the steps that setup has to take, or take back, in their order. Pure. */
import type { Right } from "../../helper/users.ts";
import type { Part, PartName, PartPlan, Step } from "./plan.ts";
import { folderStep, type ProgramFolder, type UserLine, usersStep } from "./users-step.ts";

export type Looked = { part: Part; plan: PartPlan };

export type WholePlan = {
  /** All of them, in the order in which they are taken. */
  steps: readonly Step[];
  /** Those that change something. */
  due: readonly Step[];
  /** The rights that the user has now. */
  had: ReadonlySet<Right>;
};

type UserNow = Omit<UserLine, "wanted">;

/** The right that comes with each part. */
const rightOf: Partial<Record<PartName, Right>> = { ports: "ports", hosts: "hosts" };

/** The right comes last: whatever it allows has been checked then. */
export function setupPlan(looked: readonly Looked[], user: UserNow): WholePlan {
  const plans = looked.flatMap(({ plan }) => (plan.kind === "steps" ? [plan] : []));
  const wanted = new Set([...user.had, ...plans.flatMap(({ rights }) => rights)]);
  const steps = plans.flatMap((plan) => plan.steps);
  if (wanted.size > 0) steps.push(usersStep({ ...user, wanted }));
  return { steps, due: steps.filter((step) => !step.isDone), had: user.had };
}

type ToRemove = { user: UserNow; folder: ProgramFolder };

/** `commands` of these steps take away. */
export function removalPlan(looked: readonly Looked[], { user, folder }: ToRemove): WholePlan {
  const gone = looked.flatMap(({ part }) => rightOf[part.name] ?? []);
  const wanted = new Set([...user.had].filter((right) => !gone.includes(right)));
  const line = usersStep({ ...user, wanted });
  const steps = looked
    .flatMap(({ plan }) => plan.steps ?? [])
    .filter((step) => step.isThere)
    .map(undone)
    .reverse();
  if (wanted.size < user.had.size) steps.push(wanted.size > 0 ? line : undone(line));
  const isLast = wanted.size === 0 && !user.hasOthers;
  if (isLast && folder.isThere) steps.push(undone(folderStep(folder)));
  return { steps, due: steps, had: user.had };
}

function undone(step: Step): Step {
  return { ...step, purpose: step.undoing ?? `undo: ${step.purpose}`, commands: step.removal };
}

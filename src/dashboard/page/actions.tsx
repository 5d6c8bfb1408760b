/** A service or a project -> its buttons, and what became of the last one. */
/** @jsxImportSource preact */
import { useRef } from "preact/hooks";
import type { SupervisedStatus } from "../../routes/project-report.ts";
import { connection, kept } from "./live.ts";
import { type Group, isUp } from "./model.ts";
import { act, actOnProject, busy, refusal } from "./projects.ts";

type ButtonProps = {
  word: string;
  /** The service or project, for a person who does not see beside what the button stands. */
  of: string;
  /** Not `disabled`: the button would lose the focus, and with it a person's place. */
  can: boolean;
  /** The button is of no use now. While it has the focus it stays, for the same reason. */
  isIdle?: boolean;
  press(): void;
};

function Button({ word, of, can, isIdle = false, press }: ButtonProps) {
  const its = useRef<HTMLButtonElement>(null);
  const isHeld = its.current !== null && its.current === document.activeElement;
  return (
    <button
      type="button"
      ref={its}
      hidden={isIdle && !isHeld}
      aria-label={`${word} ${of}`}
      aria-disabled={!can}
      onClick={() => {
        if (can) press();
      }}
    >
      {word}
    </button>
  );
}

function keep(ids: readonly string[]): void {
  kept.value = new Set([...kept.value, ...ids]);
}

/** Always the same two buttons, so that whoever has pressed one is still at it afterwards. */
export function Actions({ row }: { row: SupervisedStatus }) {
  const up = isUp(row);
  const can = !busy.value.has(row.name) && connection.value === "live";
  const press = (what: "start" | "stop" | "restart") => {
    keep([row.name]);
    void act(row, what);
  };
  return (
    <span class="actions">
      <Button
        word={up ? "Stop" : "Start"}
        of={row.name}
        can={can}
        press={() => press(up ? "stop" : "start")}
      />
      <Button
        word="Restart"
        of={row.name}
        can={can && up}
        isIdle={!up}
        press={() => press("restart")}
      />
    </span>
  );
}

/** Starts and stops all of a project. */
export function ProjectActions({ group: { key, name, entries } }: { group: Group }) {
  const rows = entries.flatMap(({ declared }) => declared ?? []);
  const can = !busy.value.has(key) && connection.value === "live";
  const some = rows.some((row) => isUp(row));
  // A lazy service, or a completed task, is where `up` leaves it.
  const all = rows.every((row) => isUp(row) || row.lazy || row.state === "completed");
  const press = (what: "start" | "stop") => {
    keep(rows.map((row) => row.name));
    void actOnProject(key, what);
  };
  return (
    <span class="actions">
      <Button word="Start all" of={`of ${name}`} can={can && !all} press={() => press("start")} />
      <Button word="Stop all" of={`of ${name}`} can={can && some} press={() => press("stop")} />
    </span>
  );
}

/** Why the last command failed. Lies over the page: it may have been given far from its top. */
export function Refusal() {
  if (refusal.value === "") return null;
  return (
    <div class="notice bad" role="alert">
      <span>{refusal.value}</span>
      <button
        type="button"
        onClick={() => {
          refusal.value = "";
        }}
      >
        Close
      </button>
    </div>
  );
}

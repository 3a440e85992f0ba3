import { useCallback, useEffect, useRef } from "react";

import { stepRow } from "../../core/cases";

const STEPS: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
const ELSEWHERE = "input, textarea, select, [role=dialog]";

/**
 * A list that is one tab stop: `j` and `k` walk it from wherever nobody types, the arrows from
 * within it. `choose` is told which entry to go to.
 */
export function useEntryKeys(current: number, count: number, choose: (at: number) => void) {
  const list = useRef<HTMLUListElement>(null);
  const follows = useRef(false);
  const latest = useRef({ current, count, choose });
  useEffect(() => {
    latest.current = { current, count, choose };
  });

  useEffect(() => {
    if (!follows.current) return;
    const entry = list.current?.querySelector<HTMLElement>("[data-entry][aria-current]");
    if (!entry) return;
    follows.current = false;
    entry.focus();
    entry.scrollIntoView({ block: "nearest" });
  });

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const step = STEPS[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target instanceof HTMLElement ? event.target : document.body;
      if (target.closest(ELSEWHERE)) return;
      const isArrow = event.key.startsWith("Arrow");
      if (isArrow && target !== document.body && !list.current?.contains(target)) return;
      const { current, count, choose } = latest.current;
      const next = stepRow(current, step, count);
      if (next < 0) return;
      event.preventDefault();
      follows.current = true;
      choose(next);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  /** Bring the focus to the entry that is current after what happens next. */
  const follow = useCallback(() => {
    follows.current = true;
  }, []);
  return { list, follow };
}

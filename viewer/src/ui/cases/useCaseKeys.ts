import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";

import type { CaseRow } from "../../api/worklists";
import { stepRow } from "../../core/cases";
import { casePath, navigate } from "../route";

const STEPS: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && Boolean(target.closest("input, textarea, [role=dialog]"));
}

/** `j` and `k` (or the arrows) walk the list, Enter opens, `/` searches, `a` gives a case to someone. */
export function useCaseKeys(
  rows: readonly CaseRow[],
  search: RefObject<HTMLInputElement | null>,
  assign: ((row: CaseRow) => void) | null,
) {
  const [current, setCurrent] = useState<string | null>(null);
  const latest = useRef({ rows, current, assign });
  useEffect(() => {
    latest.current = { rows, current, assign };
  });

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const { rows, current, assign } = latest.current;
      const at = rows.findIndex((row) => row.id === current);
      const step = STEPS[event.key];
      const row = rows[at];
      if (step !== undefined) {
        const next = rows[stepRow(at, step, rows.length)];
        if (!next) return;
        event.preventDefault();
        setCurrent(next.id);
      } else if (event.key === "/") {
        event.preventDefault();
        search.current?.focus();
      } else if (event.key === "Enter" && row && !inControl(event.target)) {
        event.preventDefault();
        navigate(casePath(row.id));
      } else if (event.key.toLowerCase() === "a" && row && assign) {
        event.preventDefault();
        assign(row);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [search]);

  const forget = useCallback(() => setCurrent(null), []);
  return useMemo(() => ({ current, forget }), [current, forget]);
}

/** Enter on a button or a link is that button's or link's own. */
function inControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && Boolean(target.closest("button, a"));
}

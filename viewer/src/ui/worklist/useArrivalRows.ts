import { useEffect, useMemo, useReducer, useRef } from "react";

import type { Arrival } from "../../api/types";
import { hasEnded, LEAVE_MS, phaseOf, steadyOrder, type Phase } from "../../core/arrivals";

export interface ArrivalRow {
  readonly arrival: Arrival;
  readonly phase: Exclude<Phase, "gone">;
}

/**
 * The rows of the panel: what is under way or needs a person, and what ended a moment ago. While
 * `held`, no row moves or goes.
 */
export function useArrivalRows(
  arrivals: readonly Arrival[] | undefined,
  held: boolean,
): readonly ArrivalRow[] {
  const endedAt = useRef(new Map<string, number>());
  const shown = useRef<readonly ArrivalRow[]>([]);
  const [tick, again] = useReducer((count: number) => count + 1, 0);

  const rows = useMemo(() => {
    const now = Date.now();
    const byId = new Map<string, ArrivalRow>();
    const wanted: string[] = [];
    const wasShown = new Map(shown.current.map((row) => [row.arrival.id, row]));
    for (const arrival of arrivals ?? []) {
      if (!hasEnded(arrival.state)) endedAt.current.delete(arrival.id);
      else if (!endedAt.current.has(arrival.id)) {
        // Seen to end before our eyes, or ended before we came: then it has lingered long enough
        // unless it had only just arrived.
        const fresh = wasShown.has(arrival.id) ? now : Date.parse(arrival.seen_at);
        endedAt.current.set(arrival.id, Number.isNaN(fresh) ? 0 : fresh);
      }
      const ended = endedAt.current.get(arrival.id);
      const phase = ended === undefined ? "shown" : phaseOf(arrival.state, now - ended);
      if (phase === "gone" && !(held && wasShown.has(arrival.id))) continue;
      wanted.push(arrival.id);
      byId.set(arrival.id, {
        arrival,
        phase: held || phase === "gone" ? "shown" : phase,
      });
    }
    const order = steadyOrder(
      shown.current.map((row) => row.arrival.id),
      wanted,
      held,
    );
    return order
      .map((id) => byId.get(id) ?? wasShown.get(id))
      .filter((row): row is ArrivalRow => row !== undefined);
    // `tick` stands for the passing of time.
  }, [arrivals, held, tick]);

  useEffect(() => {
    shown.current = rows;
  }, [rows]);

  const passing = !held && rows.some((row) => hasEnded(row.arrival.state));
  useEffect(() => {
    if (!passing) return undefined;
    const timer = window.setInterval(again, LEAVE_MS / 2);
    return () => window.clearInterval(timer);
  }, [passing]);

  return rows;
}

import { useEffect, useMemo, useRef } from "react";

import type { CaseRow } from "../../api/worklists";
import { steadyOrder } from "../../core/arrivals";
import { useHandsOn } from "../worklist/useHandsOn";

/** Rows in the server's order, except that none moves under a hand. */
export function useSteadyRows(wanted: readonly CaseRow[] | undefined, page: string) {
  const [element, handsOn] = useHandsOn<HTMLDivElement>();
  const last = useRef<{ page: string; rows: readonly CaseRow[] }>({ page, rows: [] });
  const rows = useMemo(() => {
    if (!wanted) return [];
    const before = last.current.page === page ? last.current.rows : [];
    const byId = new Map([...before, ...wanted].map((row) => [row.id, row]));
    const order = steadyOrder(
      before.map((row) => row.id),
      wanted.map((row) => row.id),
      handsOn && before.length > 0,
    );
    return order.flatMap((id) => byId.get(id) ?? []);
  }, [wanted, page, handsOn]);
  useEffect(() => {
    last.current = { page, rows };
  }, [page, rows]);
  return { rows, element };
}

import { useTranslation } from "react-i18next";

import type { CaseRow } from "../../api/worklists";
import { dueOf, formatClock, formatSpan, isOpen } from "../../core/cases";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import styles from "./DueTime.module.css";

type Timed = Pick<CaseRow, "state" | "received_at" | "due_at" | "extemporane" | "held_at">;

/** How long is left or how late it is, in a colour and in a word; of a frozen section, the clock.
 * What is put aside does not alarm. */
export function DueTime(props: { readonly row: Timed; readonly now: number }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { row, now } = props;
  const due = dueOf(row.state, row.received_at, row.due_at, now);
  const span = due && formatSpan(due.minutes, language);
  const words = due && t(due.tone === "late" ? "cases.late" : "cases.left", { span });
  const clock =
    row.extemporane && isOpen(row.state) && row.received_at
      ? formatClock(row.received_at, now)
      : null;
  if (!due && !clock) return <span className={styles.none}>–</span>;
  return (
    <span
      className={styles.due}
      data-tone={row.held_at ? "held" : due?.tone}
      title={row.due_at ? t("cases.dueAt", { moment: formatMoment(row.due_at, language) }) : undefined}
      data-testid="due"
    >
      {clock && <strong className={styles.clock}>{clock}</strong>}
      {words && <span>{words}</span>}
    </span>
  );
}

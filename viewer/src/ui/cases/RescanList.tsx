import { useTranslation } from "react-i18next";

import { useRescans } from "../../api/worklists";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { casePath, followLink } from "../route";
import { CaseMark } from "./CaseMark";
import styles from "./RescanList.module.css";

/** Which glasses the scanner room has to take out again, and why. */
export function RescanList() {
  const { t } = useTranslation();
  const language = useLanguage();
  const rescans = useRescans();
  if (!rescans.data || rescans.data.items.length === 0) return null;
  return (
    <ul className={styles.list} aria-label={t("cases.lists.to-rescan")}>
      {rescans.data.items.map((each) => (
        <li key={each.glass_id} data-testid="rescan">
          <CaseMark extemporane={each.extemporane} priority={each.priority} />
          <strong>{each.identifier}</strong>
          <span>{each.stains.join(", ")}</span>
          <span className={styles.reason}>{each.reason}</span>
          <span className={styles.asked}>
            {t("case.byAt", {
              name: each.asked_by ?? "–",
              moment: formatMoment(each.asked_at, language),
            })}
          </span>
          {each.case_id && (
            <a href={casePath(each.case_id)} onClick={followLink}>
              {each.accession_number}
            </a>
          )}
        </li>
      ))}
    </ul>
  );
}

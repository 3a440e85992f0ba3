import { useTranslation } from "react-i18next";

import { useHolds } from "../../api/retention";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import styles from "./RetentionTab.module.css";

/** The slides that are held now; a hold is placed and lifted beside the slide itself. */
export function HoldsSection() {
  const { t } = useTranslation();
  const language = useLanguage();
  const holds = useHolds();
  if (!holds.data) return null;
  return (
    <section data-testid="holds">
      <h2 className={styles.heading}>{t("retention.holds")}</h2>
      {holds.data.items.length === 0 ? (
        <p className={styles.hint}>{t("retention.holdsNone")}</p>
      ) : (
        <ul className={styles.cards}>
          {holds.data.items.map((hold) => (
            <li key={hold.id} className={styles.card}>
              <p className={styles.cardTitle}>
                <a href={slidePath(hold.slide_id)} onClick={followLink}>
                  {hold.reason}
                </a>
              </p>
              <p className={styles.hint}>
                {t("retention.placedBy", {
                  name: hold.placed_by,
                  moment: formatMoment(hold.placed_at, language),
                })}
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

import { useTranslation } from "react-i18next";

import { useRestored } from "../../api/tiers";
import { followLink, slidePath } from "../route";
import { CloseIcon } from "../shell/icons";
import styles from "./RestoredNotice.module.css";

/** Whoever asked for a slide's restore is told when it is there. */
export function RestoredNotice() {
  const { t } = useTranslation();
  const { items, dismiss } = useRestored();
  return items.map(({ slide, name }) => (
    <div key={slide} className={styles.notice} role="status" data-testid="restored">
      <span>{t("cold.restored", { name })}</span>
      <a href={slidePath(slide)} onClick={followLink}>
        {t("cold.open")}
      </a>
      <button type="button" aria-label={t("panel.close")} onClick={() => dismiss(slide)}>
        <CloseIcon />
      </button>
    </div>
  ));
}

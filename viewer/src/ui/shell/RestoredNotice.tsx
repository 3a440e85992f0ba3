import { useTranslation } from "react-i18next";

import { useRestored } from "../../api/tiers";
import { followLink, slidePath } from "../route";
import { CloseIcon } from "./icons";
import styles from "./RestoredNotice.module.css";

/** Whoever asked for a slide's restore is told what came of it, at their next visit too. */
export function RestoredNotice() {
  const { t } = useTranslation();
  const { items, dismiss } = useRestored();
  if (items.length === 0) return null;
  return (
    <div className={styles.notices} role="status" data-testid="restored">
      {items.map(({ id, slide_id: slide, file_name: name, state }) => (
        <div key={id} className={styles.notice}>
          <span>{t(state === "done" ? "cold.restored" : "cold.notRestored", { name })}</span>
          <a
            href={slidePath(slide)}
            onClick={(event) => {
              dismiss(id);
              followLink(event);
            }}
          >
            {t("cold.open")}
          </a>
          <button type="button" aria-label={t("panel.close")} onClick={() => dismiss(id)}>
            <CloseIcon />
          </button>
        </div>
      ))}
    </div>
  );
}

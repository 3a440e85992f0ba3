import { useTranslation } from "react-i18next";

import styles from "./FocusLegend.module.css";

/** What the colours of the focus map mean. */
export function FocusLegend(props: { readonly failed: boolean; readonly dark: boolean }) {
  const { t } = useTranslation();
  return (
    <div className={styles.legend} data-dark={props.dark} data-testid="focus-legend" role="status">
      <h2>{t("focusMap.title")}</h2>
      {props.failed ? (
        <p>{t("focusMap.failed")}</p>
      ) : (
        <ul>
          <li>
            <i data-kind="very" />
            {t("focusMap.very")}
          </li>
          <li>
            <i data-kind="blurred" />
            {t("focusMap.blurred")}
          </li>
          <li>
            <i data-kind="sharp" />
            {t("focusMap.sharp")}
          </li>
          <li>
            <i data-kind="none" />
            {t("focusMap.none")}
          </li>
        </ul>
      )}
    </div>
  );
}

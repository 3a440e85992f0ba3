import { useTranslation } from "react-i18next";

import { RescanIcon } from "../shell/icons";
import styles from "./ScanCount.module.css";

/** Slides that have images, of those expected. */
export function ScanCount(props: {
  readonly scanned: number;
  readonly expected: number;
  readonly rescans: number;
}) {
  const { t } = useTranslation();
  const { scanned, expected, rescans } = props;
  return (
    <span className={styles.count} data-whole={expected > 0 && scanned >= expected && rescans === 0}>
      <span title={t("cases.scannedOf", { scanned, expected })}>
        {scanned}
        <span className={styles.of}>/{expected}</span>
      </span>
      {rescans > 0 && (
        <span className={styles.rescans} title={t("cases.rescans", { count: rescans })}>
          <RescanIcon />
          {rescans}
        </span>
      )}
    </span>
  );
}

import { useTranslation } from "react-i18next";

import type { Slide } from "../../api/types";
import { WarningIcon } from "../shell/icons";
import styles from "./DamageBanner.module.css";

/** One line over a slide of which something stored is not what was written. */
export function DamageBanner(props: { readonly slide: Slide }) {
  const { t } = useTranslation();
  if (!props.slide.damaged) return null;
  return (
    <p className={styles.banner} role="alert" data-testid="damage-banner">
      <WarningIcon />
      {t("integrity.banner")}
    </p>
  );
}

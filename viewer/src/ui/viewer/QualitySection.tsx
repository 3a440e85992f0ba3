import { useTranslation } from "react-i18next";

import type { Quality } from "../../api/types";
import { findingCode, formatMeasure, type Finding } from "../../core/quality";
import { useLanguage } from "../../i18n";
import { VerdictIcon } from "../shell/VerdictIcon";
import styles from "./SlidePanel.module.css";

/** What the quality gate says of the slide, in words, and where it is blurred. */
export function QualitySection(props: {
  readonly quality: Quality;
  readonly mapShown: boolean;
  readonly onMap: () => void;
}) {
  const { t } = useTranslation();
  const { quality } = props;
  return (
    <section
      className={styles.section}
      aria-label={t("quality.title")}
      data-verdict={quality.verdict}
      data-testid="quality"
    >
      <h2 className={styles.heading}>{t("quality.title")}</h2>
      <p className={styles.verdict}>
        <VerdictIcon verdict={quality.verdict} />
        {t(`quality.${quality.verdict}`)}
      </p>
      {quality.findings.length > 0 && (
        <ul className={styles.findings}>
          {quality.findings.map((finding, index) => (
            <FindingLine key={index} finding={finding} />
          ))}
        </ul>
      )}
      {quality.heat_map && (
        <button
          type="button"
          className={styles.toggle}
          aria-pressed={props.mapShown}
          title={`${t("focusMap.toggle")} (Q)`}
          onClick={props.onMap}
          data-testid="quality-map"
        >
          <span className={styles.switch} aria-hidden="true" />
          {t("focusMap.toggle")}
        </button>
      )}
    </section>
  );
}

function FindingLine(props: { readonly finding: Finding }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { finding } = props;
  const code = findingCode(finding.code);
  const text = (): string => {
    if (code === null) return t("finding.other", { code: finding.code });
    if (finding.value === null || finding.threshold === null || code === "not_measured") {
      return t("finding.not_measured");
    }
    return t(`finding.${code}`, {
      value: formatMeasure(code, finding.value, language),
      threshold: formatMeasure(code, finding.threshold, language),
    });
  };
  return (
    <li data-severity={finding.severity} data-testid="finding">
      {text()}
    </li>
  );
}

import { useTranslation } from "react-i18next";

import type { CasePatient } from "../../api/cases";
import { CheckIcon, UnknownIcon, WarningIcon } from "../shell/icons";
import styles from "./IdentityMarks.module.css";

/** How far an identity may be trusted: a word and a shape for each, none told by colour alone. */
export function IdentityMarks(props: { readonly patient: CasePatient; readonly short?: boolean }) {
  const { t } = useTranslation();
  const { status, attributes } = props.patient;
  const sure = status === "QUAL";
  // In a list, a proved identity says nothing, and one in doubt is provisional anyway.
  const inDoubt = attributes.includes("DOUT") || attributes.includes("FICT");
  const tellStatus = !props.short || !(sure || status === "VALI" || inDoubt);
  return (
    <span className={styles.marks}>
      {attributes.map((attribute) => (
        <span
          key={attribute}
          className={styles.mark}
          data-alarm
          title={t(`patient.attributeHint.${attribute}`)}
          data-testid={`identity-${attribute}`}
        >
          <WarningIcon />
          {t(`patient.attribute.${attribute}`)}
        </span>
      ))}
      {tellStatus && (
        <span
          className={styles.mark}
          data-sure={sure}
          title={t(`patient.statusHint.${status ?? "none"}`)}
          data-testid="identity-status"
        >
          {sure || status === "VALI" ? <CheckIcon /> : <UnknownIcon />}
          {t(`patient.${props.short ? "statusShort" : "status"}.${status ?? "none"}`)}
        </span>
      )}
    </span>
  );
}

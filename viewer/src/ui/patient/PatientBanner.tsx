import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { CasePatient } from "../../api/cases";
import {
  ageOn,
  birthNameOf,
  formatBirthDate,
  otherGivenNamesOf,
  spacedMatricule,
  usedNameOf,
} from "../../core/patient";
import { IdentityMarks } from "./IdentityMarks";
import styles from "./PatientBanner.module.css";

/** Whose this is, in clear sight wherever a case or one of its slides is open. */
export function PatientBanner(props: {
  readonly patient: CasePatient | null;
  /** One line, beside other things. */
  readonly slim?: boolean;
}) {
  const { t } = useTranslation();
  const { patient } = props;
  if (!patient) {
    return (
      <div className={styles.banner} data-slim={props.slim} data-testid="patient-banner">
        <p className={styles.nobody}>{t("patient.nobody")}</p>
      </div>
    );
  }
  const used = usedNameOf(patient);
  const others = otherGivenNamesOf(patient);
  const alarm = patient.attributes.length > 0;
  return (
    <section
      className={styles.banner}
      aria-label={t("patient.title")}
      data-slim={props.slim}
      data-alarm={alarm}
      data-testid="patient-banner"
    >
      <div className={styles.names}>
        <strong className={styles.name}>{birthNameOf(patient) ?? t("patient.nameUnknown")}</strong>
        {used && (
          <span className={styles.used}>
            <span className={styles.label}>{t("patient.usedName")}</span> {used}
          </span>
        )}
      </div>
      <dl className={styles.facts}>
        <Fact name={t("patient.born")}>
          <BirthDate patient={patient} />
        </Fact>
        <Fact name={t("patient.sex")}>{t(`patient.sexes.${sexKey(patient.sex)}`)}</Fact>
        {!props.slim && others && <Fact name={t("patient.givenNames")}>{others}</Fact>}
        <Fact name={t("patient.ipp")}>
          <span className={styles.number}>{patient.ipp ?? t("patient.unknown")}</span>
        </Fact>
        {!props.slim && patient.matricule && (
          <Fact name={t("patient.matricule")}>
            <span className={styles.number} data-testid="matricule">
              {spacedMatricule(patient.matricule)}
            </span>
          </Fact>
        )}
      </dl>
      <IdentityMarks patient={patient} />
    </section>
  );
}

export function sexKey(sex: string | null): "M" | "F" | "O" | "U" {
  return sex === "M" || sex === "F" || sex === "O" ? sex : "U";
}

/** "28/03/1979 (47 ans)". */
export function BirthDate(props: { readonly patient: CasePatient }) {
  const { t } = useTranslation();
  const { birth_date: date } = props.patient;
  if (!date) return <>{t("patient.unknown")}</>;
  const age = ageOn(date, new Date());
  return (
    <span className={styles.number}>
      {formatBirthDate(date)}
      {age && ` (${t(`patient.age.${age.unit}`, { count: age.count })})`}
    </span>
  );
}

function Fact(props: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

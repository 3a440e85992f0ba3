import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useDetach, type RecentAttachment } from "../../api/identification";
import { formatBirthDate } from "../../core/patient";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { ReasonDialogue } from "../case/ReasonDialogue";
import { sexKey } from "../patient/PatientBanner";
import { casePath, followLink } from "../route";
import styles from "./AttachmentPanel.module.css";

/** Of which glass a slide was said to be, and whose that is: beside its label, to be compared. */
export function AttachmentPanel(props: {
  readonly shown: RecentAttachment;
  readonly onUndone: () => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { shown } = props;
  const [asking, setAsking] = useState(false);
  const detach = useDetach();
  const who = shown.attached_by ?? t(`identify.how.${shown.how}`);
  const born = shown.birth_date;

  return (
    <aside className={styles.panel} aria-label={t("identify.attachedTo")} data-testid="attached">
      <h2>{t("identify.attachedTo")}</h2>
      <strong className={styles.glass}>{shown.glass_identifier}</strong>
      <p className={styles.patient}>
        {shown.patient_name ?? t("patient.nobodyShort")}
        {born && ` · ${formatBirthDate(born)}`}
        {shown.patient_id && ` · ${t(`patient.sexes.${sexKey(shown.sex)}`)}`}
      </p>
      <p className={styles.facts}>
        {shown.case_id ? (
          <a href={casePath(shown.case_id)} onClick={followLink}>
            {t("identify.ofCase", { name: shown.accession_number })}
          </a>
        ) : (
          t("identify.noCase")
        )}
        {shown.stains.length > 0 && ` · ${shown.stains.join(", ")}`}
      </p>
      <p className={styles.facts}>
        {t("case.byAt", { name: who, moment: formatMoment(shown.attached_at, language) })}
      </p>
      {shown.label_names && (
        <p className={styles.contradicted} data-testid="label-names">
          {t("identify.labelNames", { name: shown.label_names })}
        </p>
      )}
      {shown.undone_at ? (
        <div className={styles.undone}>
          <p>
            {t("identify.undone", {
              name: shown.undone_by ?? "–",
              moment: formatMoment(shown.undone_at, language),
            })}
          </p>
          {shown.undo_reason && <p>{t("identify.undoneWhy", { reason: shown.undo_reason })}</p>}
        </div>
      ) : (
        <Button variant="default" fullWidth onClick={() => setAsking(true)} data-testid="undo">
          {t("identify.undoImage")}
        </Button>
      )}
      {asking && (
        <ReasonDialogue
          title={t("identify.undoTitle", { name: shown.glass_identifier })}
          hint={t("identify.undoHint")}
          submit={t("identify.undo")}
          act={(reason) =>
            detach
              .mutateAsync({
                slide: shown.slide_id,
                reason,
                confirmed: shown.case_signed_out ? ["signed_out"] : [],
              })
              .then(props.onUndone)
          }
          onClose={() => setAsking(false)}
        >
          {shown.case_signed_out && (
            <p className={styles.contradicted} data-testid="undo-signed-out">
              {t("identify.undoSignedOut", { case: shown.accession_number })}
            </p>
          )}
        </ReasonDialogue>
      )}
    </aside>
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useAttachments, useDetach, type Attachment } from "../../api/identification";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { ReasonDialogue } from "../case/ReasonDialogue";
import { followLink, slidePath } from "../route";
import { Notice } from "../shell/Notice";
import styles from "./UndoList.module.css";

/** What was attached lately and by whom: each can be taken back, and stays on record. */
export function UndoList() {
  const { t } = useTranslation();
  const attachments = useAttachments();
  const [undone, setUndone] = useState<Attachment | null>(null);
  const detach = useDetach();
  if (attachments.isError && !attachments.data) {
    return <Notice error={attachments.error} onRetry={() => void attachments.refetch()} />;
  }
  return (
    <>
      {attachments.data?.items.length === 0 && (
        <p className={styles.none}>{t("identify.nothingDone")}</p>
      )}
      <ul>
        {attachments.data?.items.map((each) => (
          <Row key={each.id} attachment={each} onUndo={() => setUndone(each)} />
        ))}
      </ul>
      {undone && (
        <ReasonDialogue
          title={t("identify.undoTitle", { name: undone.glass_identifier })}
          hint={t("identify.undoHint")}
          submit={t("identify.undo")}
          act={(reason) =>
            detach.mutateAsync({
              slide: undone.slide_id,
              reason,
              confirmed: undone.case_signed_out ? ["signed_out"] : [],
            })
          }
          onClose={() => setUndone(null)}
        >
          {undone.case_signed_out && (
            <p className={styles.signedOut} data-testid="undo-signed-out">
              {t("identify.undoSignedOut", { case: undone.accession_number })}
            </p>
          )}
        </ReasonDialogue>
      )}
    </>
  );
}

function Row(props: { readonly attachment: Attachment; readonly onUndo: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { attachment } = props;
  const who = attachment.attached_by ?? t(`identify.how.${attachment.how}`);
  return (
    <li className={styles.row} data-undone={attachment.undone_at !== null} data-testid="attachment">
      <a href={slidePath(attachment.slide_id)} onClick={followLink}>
        {attachment.glass_identifier}
      </a>
      <span className={styles.muted}>
        {t("case.byAt", { name: who, moment: formatMoment(attachment.attached_at, language) })}
      </span>
      {attachment.label_names && (
        <p className={styles.contradicted} data-testid="label-names">
          {t("identify.labelNames", { name: attachment.label_names })}
        </p>
      )}
      {attachment.undone_at ? (
        <span className={styles.undone}>
          {t("identify.undone", {
            name: attachment.undone_by ?? "–",
            moment: formatMoment(attachment.undone_at, language),
          })}
          {attachment.undo_reason && ` ${attachment.undo_reason}`}
        </span>
      ) : (
        <button type="button" onClick={props.onUndo} data-testid="undo">
          {t("identify.undo")}
        </button>
      )}
    </li>
  );
}

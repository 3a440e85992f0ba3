import type { RefObject } from "react";
import { useTranslation } from "react-i18next";

import type { RecentAttachment } from "../../api/identification";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import pageStyles from "./IdentificationPage.module.css";
import styles from "./UndoList.module.css";

/** What was attached lately, of whom and by whom: each is looked at before it is taken back. */
export function UndoList(props: {
  readonly items: readonly RecentAttachment[];
  readonly chosen: RecentAttachment | undefined;
  readonly list: RefObject<HTMLUListElement | null>;
  readonly onChoose: (attachment: RecentAttachment) => void;
}) {
  return (
    <ul ref={props.list}>
      {props.items.map((each) => (
        <Row
          key={each.id}
          attachment={each}
          current={each === props.chosen}
          onChoose={() => props.onChoose(each)}
        />
      ))}
    </ul>
  );
}

function Row(props: {
  readonly attachment: RecentAttachment;
  readonly current: boolean;
  readonly onChoose: () => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { attachment } = props;
  const who = attachment.attached_by ?? t(`identify.how.${attachment.how}`);
  return (
    <li>
      <button
        type="button"
        className={`${pageStyles.entry} ${styles.row}`}
        aria-current={props.current ? "true" : undefined}
        tabIndex={props.current ? 0 : -1}
        onClick={props.onChoose}
        data-entry
        data-undone={attachment.undone_at !== null}
        data-testid="attachment"
      >
        <strong>{attachment.glass_identifier}</strong>
        <span>{attachment.patient_name ?? t("patient.nobodyShort")}</span>
        <span className={styles.muted}>
          {t("case.byAt", { name: who, moment: formatMoment(attachment.attached_at, language) })}
        </span>
        {attachment.label_names && (
          <span className={pageStyles.trouble}>{t("identify.toReview")}</span>
        )}
        {attachment.undone_at && (
          <span className={styles.muted}>
            {t("identify.undone", {
              name: attachment.undone_by ?? "–",
              moment: formatMoment(attachment.undone_at, language),
            })}
          </span>
        )}
        {attachment.undo_reason && (
          <span className={styles.muted}>
            {t("identify.undoneWhy", { reason: attachment.undo_reason })}
          </span>
        )}
      </button>
    </li>
  );
}

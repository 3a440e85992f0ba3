import { Button, Modal, Radio } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useAskDestruction } from "../../api/retention";
import { formatDate, groundsOn, isReason, type Ground } from "../../core/retention";
import { useLanguage } from "../../i18n";
import { sentenceFor } from "../shell/problem";
import { ReasonField } from "./ReasonField";
import styles from "./RetentionTab.module.css";

/** Ask for one slide to be destroyed: the first of two people. */
export function AskDialogue(props: {
  readonly slide: string;
  readonly name: string;
  readonly keptUntil: string;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const ask = useAskDestruction();
  const grounds = groundsOn(new Date(), props.keptUntil);
  const ended = grounds.includes("retention_ended");
  const [ground, setGround] = useState<Ground | null>(ended ? "retention_ended" : null);
  const [reason, setReason] = useState("");

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ground === null || !isReason(reason)) return;
    ask.mutate(
      { slide_id: props.slide, ground, reason: reason.trim() },
      { onSuccess: props.onClose },
    );
  };

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={t("retention.askTitle")}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={560}
      centered
    >
      <form className={styles.form} onSubmit={submit} noValidate data-testid="ask-dialogue">
        <p className={styles.subject}>{props.name}</p>
        <p className={ended ? styles.hint : styles.warning}>
          {t(ended ? "retention.askEnded" : "retention.askEarly", {
            date: formatDate(props.keptUntil, language),
          })}
        </p>
        <Radio.Group
          label={t("retention.ground")}
          value={ground}
          onChange={(value) => setGround(value as Ground)}
          required
        >
          <div className={styles.grounds}>
            {grounds.map((each) => (
              <Radio key={each} value={each} label={t(`retention.grounds.${each}`)} />
            ))}
          </div>
        </Radio.Group>
        <ReasonField value={reason} onChange={setReason} />
        <p className={styles.hint}>{t("retention.askNext")}</p>
        {ask.isError && (
          <p className={styles.problem} role="alert">
            {sentenceFor(ask.error, t)}
          </p>
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={props.onClose}>
            {t("retention.cancel")}
          </Button>
          <Button
            type="submit"
            color="red.9"
            disabled={ground === null || !isReason(reason)}
            loading={ask.isPending}
            data-testid="ask-submit"
          >
            {t("retention.askSubmit")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

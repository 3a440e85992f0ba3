import { Button, Modal } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useWithdrawDestruction } from "../../api/retention";
import { isReason, type Destruction } from "../../core/retention";
import { sentenceFor } from "../shell/problem";
import { ReasonField } from "./ReasonField";
import styles from "./RetentionTab.module.css";

/** Take a destruction back while it is still time. */
export function WithdrawDialogue(props: {
  readonly destruction: Destruction;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const withdraw = useWithdrawDestruction();
  const [reason, setReason] = useState("");

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isReason(reason)) return;
    withdraw.mutate(
      { id: props.destruction.id, reason: reason.trim() },
      { onSuccess: props.onClose },
    );
  };

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={t("retention.withdrawTitle")}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={520}
      centered
    >
      <form className={styles.form} onSubmit={submit} noValidate>
        <p className={styles.subject}>{props.destruction.slide?.file_name}</p>
        <ReasonField value={reason} onChange={setReason} />
        {withdraw.isError && (
          <p className={styles.problem} role="alert">
            {sentenceFor(withdraw.error, t)}
          </p>
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={props.onClose}>
            {t("retention.cancel")}
          </Button>
          <Button type="submit" disabled={!isReason(reason)} loading={withdraw.isPending}>
            {t("retention.withdrawSubmit")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

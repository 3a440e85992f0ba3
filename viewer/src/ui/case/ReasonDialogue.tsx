import { Button, Modal, Textarea } from "@mantine/core";
import { useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { isReason, LONGEST_REASON } from "../../core/retention";
import { inSight } from "../shell/inSight";
import { sentenceFor } from "../shell/problem";
import styles from "./ReasonDialogue.module.css";

/** Something that is done with a reason, which stays on record. */
export function ReasonDialogue(props: {
  readonly title: string;
  readonly hint: string;
  readonly submit: string;
  /** Ready-made reasons: one click fills the field. */
  readonly offered?: readonly string[];
  readonly act: (reason: string) => Promise<unknown>;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isReason(reason) || busy) return;
    setBusy(true);
    props.act(reason.trim()).then(props.onClose, (error: Error) => {
      setProblem(error);
      setBusy(false);
    });
  };

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={props.title}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={520}
      centered
      portalProps={inSight()}
      transitionProps={{ duration: 120 }}
    >
      <form className={styles.form} onSubmit={submit} noValidate data-testid="reason-dialogue">
        {props.children}
        <p className={styles.hint}>{props.hint}</p>
        {props.offered && (
          <div className={styles.offered}>
            {props.offered.map((each) => (
              <button key={each} type="button" onClick={() => setReason(each)}>
                {each}
              </button>
            ))}
          </div>
        )}
        <Textarea
          label={t("retention.reason")}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          maxLength={LONGEST_REASON}
          autosize
          minRows={2}
          maxRows={6}
          required
          data-autofocus
          data-testid="reason"
        />
        {problem && (
          <p className={styles.problem} role="alert">
            {sentenceFor(problem, t)}
          </p>
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={props.onClose}>
            {t("retention.cancel")}
          </Button>
          <Button
            type="submit"
            disabled={!isReason(reason)}
            loading={busy}
            data-testid="reason-submit"
          >
            {props.submit}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

import { Textarea } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { isReason, LONGEST_REASON } from "../../core/retention";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
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
  const submit = (): void => {
    setBusy(true);
    props.act(reason.trim()).then(props.onClose, (error: Error) => {
      setProblem(error);
      setBusy(false);
    });
  };

  return (
    <FormDialogue
      title={props.title}
      submit={props.submit}
      onSubmit={submit}
      onClose={props.onClose}
      ready={isReason(reason)}
      pending={busy}
      error={problem}
      testid="reason-dialogue"
      submitTestid="reason-submit"
    >
      {props.children}
      <p className={dialogueStyles.hint}>{props.hint}</p>
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
    </FormDialogue>
  );
}

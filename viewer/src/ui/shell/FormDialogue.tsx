import { Button, Modal } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./FormDialogue.module.css";
import { inSight } from "./inSight";
import { sentenceFor } from "./problem";

/** A question with its fields, what went wrong with the answer, and two ways out. */
export function FormDialogue(props: {
  readonly title: string;
  readonly submit: string;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  /** Whether the answer can be given as it is. */
  readonly ready?: boolean;
  readonly pending?: boolean;
  /** Null too where it is told beside its field. */
  readonly error?: Error | null;
  /** What cannot be taken back. */
  readonly grave?: boolean;
  readonly size?: number;
  readonly testid?: string;
  readonly submitTestid?: string;
  readonly children: ReactNode;
}) {
  const { t } = useTranslation();
  const ready = props.ready ?? true;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready && !props.pending) props.onSubmit();
  };
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={props.title}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={props.size ?? 520}
      centered
      portalProps={inSight()}
      transitionProps={{ duration: 120 }}
    >
      <form className={styles.form} onSubmit={submit} noValidate data-testid={props.testid}>
        {props.children}
        {props.error && (
          <p className={styles.problem} role="alert">
            {sentenceFor(props.error, t)}
          </p>
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={props.onClose}>
            {t("retention.cancel")}
          </Button>
          <Button
            type="submit"
            {...(props.grave ? { color: "red.9" } : {})}
            disabled={!ready}
            loading={props.pending ?? false}
            data-testid={props.submitTestid}
          >
            {props.submit}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export const dialogueStyles = styles;

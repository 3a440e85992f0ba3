import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./Notice.module.css";
import { sentenceFor } from "./problem";

/** A whole screen that says what went wrong and what can be done. */
export function Notice(props: {
  readonly error: Error;
  readonly onRetry?: () => void;
  readonly children?: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <div className={styles.notice} role="alert" data-testid="notice">
      <p>{sentenceFor(props.error, t)}</p>
      <div className={styles.actions}>
        {props.onRetry && (
          <Button variant="default" onClick={props.onRetry}>
            {t("error.retry")}
          </Button>
        )}
        {props.children}
      </div>
    </div>
  );
}

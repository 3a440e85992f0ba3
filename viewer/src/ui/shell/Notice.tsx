import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import styles from "./Notice.module.css";
import { sentenceFor } from "./problem";

/** A whole screen that says what went wrong and what can be done. */
export function Notice(props: {
  readonly error: Error;
  readonly onRetry?: () => void;
  readonly children?: ReactNode;
}) {
  const { t } = useTranslation();
  // Asking again gives nobody a right.
  const isForbidden = props.error instanceof ApiProblem && props.error.status === 403;
  return (
    <div className={styles.notice} role="alert" data-testid="notice">
      <p>{sentenceFor(props.error, t)}</p>
      <div className={styles.actions}>
        {props.onRetry && !isForbidden && (
          <Button variant="default" onClick={props.onRetry}>
            {t("error.retry")}
          </Button>
        )}
        {props.children}
      </div>
    </div>
  );
}

import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useGiveUpNotice, useOutbox, useRetryNotice, type Notice } from "../../api/interfaces";
import type { Session } from "../../api/types";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { casePath, followLink, interfacesPath } from "../route";
import { FormDialogue } from "../shell/FormDialogue";
import { Notice as Trouble } from "../shell/Notice";
import { sentenceFor } from "../shell/problem";
import styles from "./OutboxTab.module.css";

/** What is to be told to the laboratory: what a person must see to first, then what waits. */
export function OutboxTab(props: { readonly session: Session }) {
  const { t } = useTranslation();
  const outbox = useOutbox();
  if (outbox.isError && !outbox.data) {
    return <Trouble error={outbox.error} onRetry={() => void outbox.refetch()} />;
  }
  if (outbox.data?.items.length === 0) {
    return <p className={styles.none}>{t("interfaces.outboxEmpty")}</p>;
  }
  const mayChange = props.session.permissions.includes("change_interfaces");
  return (
    <ul className={styles.list}>
      {outbox.data?.items.map((notice) => (
        <Row key={notice.id} notice={notice} mayChange={mayChange} />
      ))}
    </ul>
  );
}

function Row(props: { readonly notice: Notice; readonly mayChange: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { notice } = props;
  const retry = useRetryNotice();
  const giveUp = useGiveUpNotice();
  const [asking, setAsking] = useState(false);
  const movable = notice.state !== "sent";
  const problem = retry.error ?? giveUp.error;
  return (
    <li className={styles.row} data-state={notice.state} data-testid="notice-row">
      <div className={styles.text}>
        <div className={styles.line}>
          <strong>{t(`interfaces.notice.${notice.kind}`)}</strong>
          <span className={styles.state}>{t(`interfaces.noticeState.${notice.state}`)}</span>
        </div>
        <div className={styles.muted}>
          {t("interfaces.noticeFacts", {
            interface: notice.interface,
            moment: formatMoment(notice.created_at, language),
            count: notice.attempts,
          })}
          {notice.state === "waiting" &&
            notice.attempts > 0 &&
            ` · ${t("interfaces.nextTry", { moment: formatMoment(notice.next_try_at, language) })}`}
        </div>
        {notice.last_error && (
          <p className={styles.error}>{notice.last_error}</p>
        )}
        <div className={styles.links}>
          {notice.case_id && (
            <a href={casePath(notice.case_id)} onClick={followLink}>
              {t("interfaces.openCase")}
            </a>
          )}
          {notice.message_id && (
            <a href={interfacesPath("outbox", notice.message_id)} onClick={followLink}>
              {t("interfaces.openMessage")}
            </a>
          )}
        </div>
        {problem && (
          <p className={styles.error} role="alert">
            {sentenceFor(problem, t)}
          </p>
        )}
      </div>
      {props.mayChange && movable && (
        <div className={styles.buttons}>
          <Button
            variant="default"
            loading={retry.isPending}
            onClick={() => retry.mutate(notice.id)}
            data-testid="retry-notice"
          >
            {t("interfaces.retry")}
          </Button>
          <Button variant="default" onClick={() => setAsking(true)} data-testid="give-up">
            {t("interfaces.giveUp")}
          </Button>
        </div>
      )}
      {asking && (
        <FormDialogue
          title={t("interfaces.giveUpTitle")}
          submit={t("interfaces.giveUp")}
          onSubmit={() => giveUp.mutate(notice.id, { onSettled: () => setAsking(false) })}
          onClose={() => setAsking(false)}
          pending={giveUp.isPending}
          grave
          size={480}
          submitTestid="give-up-submit"
        >
          <p>{t("interfaces.giveUpText")}</p>
        </FormDialogue>
      )}
    </li>
  );
}

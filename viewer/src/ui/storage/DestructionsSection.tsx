import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useDestructions } from "../../api/retention";
import { mayWithdraw, type Destruction } from "../../core/retention";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import { Notice } from "../shell/Notice";
import { ApproveDialogue } from "./ApproveDialogue";
import { CertificateDialogue } from "./CertificateDialogue";
import styles from "./RetentionTab.module.css";
import { WithdrawDialogue } from "./WithdrawDialogue";

type Opened = { readonly which: "approve" | "withdraw" | "certificate"; readonly of: Destruction };

/** What was asked for, what waits, what is gone and proved to be. */
export function DestructionsSection(props: {
  readonly mayApprove: boolean;
  readonly mayAsk: boolean;
  readonly waitDays: number;
}) {
  const { t } = useTranslation();
  const found = useDestructions();
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = (): void => setOpened(null);

  return (
    <section data-testid="destructions">
      <h2 className={styles.heading}>{t("retention.destructions")}</h2>
      {found.isError && !found.data && (
        <Notice error={found.error} onRetry={() => void found.refetch()} />
      )}
      {found.data?.items.length === 0 && (
        <p className={styles.hint}>{t("retention.destructionsNone")}</p>
      )}
      {found.data && found.data.items.length > 0 && (
        <ul className={styles.cards}>
          {found.data.items.map((each) => (
            <Card
              key={each.id}
              destruction={each}
              mayApprove={props.mayApprove}
              mayAsk={props.mayAsk}
              onOpen={(which) => setOpened({ which, of: each })}
            />
          ))}
        </ul>
      )}
      {opened?.which === "approve" && (
        <ApproveDialogue destruction={opened.of} waitDays={props.waitDays} onClose={close} />
      )}
      {opened?.which === "withdraw" && (
        <WithdrawDialogue destruction={opened.of} onClose={close} />
      )}
      {opened?.which === "certificate" && <CertificateDialogue id={opened.of.id} onClose={close} />}
    </section>
  );
}

function Card(props: {
  readonly destruction: Destruction;
  readonly mayApprove: boolean;
  readonly mayAsk: boolean;
  readonly onOpen: (which: Opened["which"]) => void;
}) {
  const { t } = useTranslation();
  const { destruction, onOpen } = props;
  const waitsForOther =
    destruction.state === "asked" && props.mayApprove && !destruction.may_approve;
  return (
    <li className={styles.card} data-state={destruction.state} data-testid="destruction">
      <div className={styles.cardHead}>
        <span className={styles.state}>{t(`retention.state.${destruction.state}`)}</span>
        <p className={styles.cardTitle}>
          {destruction.slide ? (
            <a href={slidePath(destruction.slide_id)} onClick={followLink}>
              {destruction.slide.file_name}
            </a>
          ) : (
            <span className={styles.id}>{destruction.slide_id}</span>
          )}
        </p>
        <div className={styles.buttons}>
          {mayWithdraw(destruction) && props.mayAsk && (
            <Button variant="default" size="xs" onClick={() => onOpen("withdraw")}>
              {t("retention.withdraw")}
            </Button>
          )}
          {destruction.state === "asked" && props.mayApprove && destruction.may_approve && (
            <Button
              color="red.9"
              size="xs"
              onClick={() => onOpen("approve")}
              data-testid="open-approve"
            >
              {t("retention.approve")}
            </Button>
          )}
          {destruction.state === "done" && (
            <Button
              variant="default"
              size="xs"
              onClick={() => onOpen("certificate")}
              data-testid="open-certificate"
            >
              {t("retention.certificate")}
            </Button>
          )}
        </div>
      </div>
      <p className={styles.reason}>
        {t(`retention.grounds.${destruction.ground}`)}
        {t("retention.colon")}
        {destruction.reason}
      </p>
      <Steps destruction={destruction} />
      {destruction.failure && (
        <p className={styles.warning} data-testid="destruction-failure">
          {destruction.state !== "asked" && `${t("retention.failure")}${t("retention.colon")}`}
          {destruction.failure}
        </p>
      )}
      {waitsForOther && <p className={styles.warning}>{t("retention.needsOther")}</p>}
    </li>
  );
}

/** Who did what and when, in order. */
function Steps(props: { readonly destruction: Destruction }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const each = props.destruction;
  const at = (iso: string): string => formatMoment(iso, language) ?? iso;
  return (
    <ol className={styles.steps}>
      <li>{t("retention.askedBy", { name: each.asked_by, moment: at(each.asked_at) })}</li>
      {each.approved_by && each.approved_at && (
        <li>{t("retention.approvedBy", { name: each.approved_by, moment: at(each.approved_at) })}</li>
      )}
      {each.state === "approved" && each.not_before && (
        <li className={styles.pending}>
          {t("retention.notBefore", { moment: at(each.not_before) })}
        </li>
      )}
      {each.withdrawn_by && each.withdrawn_at && (
        <li>
          {t("retention.withdrawnBy", { name: each.withdrawn_by, moment: at(each.withdrawn_at) })}
          {t("retention.colon")}
          {each.withdrawal_reason}
        </li>
      )}
      {each.began_at && !each.done_at && (
        <li className={styles.pending}>{t("retention.began", { moment: at(each.began_at) })}</li>
      )}
      {each.done_at && <li>{t("retention.done", { moment: at(each.done_at) })}</li>}
    </ol>
  );
}

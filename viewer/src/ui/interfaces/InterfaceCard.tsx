import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Interface } from "../../api/interfaces";
import { formatSpan } from "../../core/cases";
import { isWell } from "../../core/interfaces";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, interfacesPath, messagesPath } from "../route";
import { CheckIcon, WarningIcon } from "../shell/icons";
import styles from "./InterfaceCard.module.css";
import { RemoveDialogue } from "./RemoveDialogue";

/** How one interface is: the sentence first, the figures below it. */
export function InterfaceCard(props: {
  readonly shown: Interface;
  readonly mayChange: boolean;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { shown } = props;
  const [removing, setRemoving] = useState(false);
  const silent = shown.health === "silent_process";
  const refusing = shown.health === "refusing";
  const well = isWell(shown.health);
  const moment = (at: string | null): string =>
    at === null ? t("interfaces.never") : (formatMoment(at, language) ?? at);
  return (
    <article
      className={styles.card}
      data-well={well}
      data-testid="interface"
      data-health={shown.health}
    >
      <header className={styles.head}>
        <h2>{shown.name}</h2>
        <span className={styles.kind}>
          {t(`interfaces.kind.${shown.kind}`)}
          {shown.port !== null && ` · ${t("interfaces.port", { port: shown.port })}`}
        </span>
        <span className={styles.health}>
          {well ? <CheckIcon /> : <WarningIcon />}
          {t(`interfaces.health.${shown.health}`)}
        </span>
      </header>
      <p className={styles.sentence}>
        {silent && (
          <strong data-testid="silent-since">
            {t("interfaces.silentSince", { moment: moment(shown.seen_at) })}{" "}
          </strong>
        )}
        {t(`interfaces.sentence.${shown.health}`)}
      </p>
      <dl className={styles.facts}>
        <Fact name={t("interfaces.lastIn")}>{moment(shown.last_in_at)}</Fact>
        <Fact name={t("interfaces.lastOut")}>
          {shown.sends.length === 0 ? t("interfaces.sendsNothing") : moment(shown.last_out_at)}
        </Fact>
        <Fact name={t("interfaces.backlog")}>
          {shown.backlog}
          {shown.minutes_behind > 0 &&
            ` (${t("interfaces.behind", { span: formatSpan(shown.minutes_behind, language) })})`}
        </Fact>
        <Fact name={t("interfaces.failures")} bad={shown.failures > 0}>
          {shown.failures}
        </Fact>
      </dl>
      <footer className={styles.links}>
        <a
          href={messagesPath(shown.name, refusing ? "refused" : "")}
          onClick={followLink}
          data-testid="see-messages"
        >
          {t(refusing ? "interfaces.seeRefused" : "interfaces.seeMessages")}
        </a>
        {shown.backlog + shown.stopped > 0 && (
          <a href={interfacesPath("outbox")} onClick={followLink}>
            {t("interfaces.seeOutbox")}
          </a>
        )}
        {silent && props.mayChange && (
          <button
            type="button"
            className={styles.remove}
            onClick={() => setRemoving(true)}
            data-testid="remove-interface"
          >
            {t("interfaces.remove")}
          </button>
        )}
      </footer>
      {removing && <RemoveDialogue shown={shown} onClose={() => setRemoving(false)} />}
    </article>
  );
}

function Fact(props: {
  readonly name: string;
  readonly bad?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd data-bad={props.bad}>{props.children}</dd>
    </div>
  );
}

import { Button, Loader, Modal } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useMessage, useMessageContent, useReplay, type Message } from "../../api/interfaces";
import type { Session } from "../../api/types";
import { toneOfOutcome } from "../../core/interfaces";
import { formatBytes } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { casePath, followLink, interfacesPath, navigate, slidePath } from "../route";
import { sentenceFor } from "../shell/problem";
import { useChangeWords } from "./ChangeList";
import styles from "./MessageDialogue.module.css";
import { RawView } from "./RawView";

/** One message: what came of it, and what stands in it for who may see that. */
export function MessageDialogue(props: {
  readonly id: string;
  readonly session: Session;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const message = useMessage(props.id);
  const replay = useReplay();
  const [reading, setReading] = useState(false);
  const content = useMessageContent(props.id, reading);
  const shown = message.data;
  const may = (permission: string): boolean => props.session.permissions.includes(permission);
  const problem = message.error ?? content.error ?? replay.error;

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={shown ? `${shown.type || t("interfaces.unreadable")} ${shown.control_id}` : ""}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size="min(94vw, 1120px)"
      transitionProps={{ duration: 120 }}
    >
      <div className={styles.dialogue} data-testid="message-dialogue">
        {message.isPending && <Loader color="dark.2" size="sm" />}
        {shown && <Facts shown={shown} />}
        {shown && <Changes shown={shown} />}
        {problem && (
          <p className={styles.problem} role="alert">
            {sentenceFor(problem, t)}
          </p>
        )}
        <div className={styles.buttons}>
          {may("view_messages") && !reading && (
            <Button variant="default" onClick={() => setReading(true)} data-testid="show-raw">
              {t("interfaces.showRaw")}
            </Button>
          )}
          {shown?.direction === "in" && may("change_interfaces") && (
            <Button
              variant="default"
              loading={replay.isPending}
              onClick={() =>
                replay.mutate(props.id, {
                  onSuccess: (made) =>
                    navigate(interfacesPath("messages", made.id), { replace: true }),
                })
              }
              data-testid="replay"
            >
              {t("interfaces.replay")}
            </Button>
          )}
        </div>
        {shown?.direction === "in" && may("change_interfaces") && (
          <p className={styles.hint}>{t("interfaces.replayHint")}</p>
        )}
        {!reading && may("view_messages") && (
          <p className={styles.hint}>{t("interfaces.rawHint")}</p>
        )}
        {reading && content.isPending && <Loader color="dark.2" size="sm" />}
        {content.data && (
          <>
            <RawView text={content.data.raw} title={t("interfaces.raw")} />
            {!content.data.is_whole && <p className={styles.hint}>{t("interfaces.notWhole")}</p>}
            {content.data.answer && (
              <RawView text={content.data.answer} title={t("interfaces.answer")} />
            )}
          </>
        )}
      </div>
    </Modal>
  );
}

function Facts(props: { readonly shown: Message }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { shown } = props;
  const facts: readonly (readonly [name: string, value: ReactNode])[] = [
    [
      t("interfaces.column.outcome"),
      <strong key="o" className={styles.outcome} data-tone={toneOfOutcome(shown.outcome)}>
        {t(`interfaces.outcome.${shown.outcome}`)}
      </strong>,
    ],
    [
      t("interfaces.column.interface"),
      `${shown.interface}, ${t(`interfaces.direction.${shown.direction}`).toLowerCase()}`,
    ],
    [t("interfaces.told"), shown.notice && t(`interfaces.notice.${shown.notice}`)],
    [t("interfaces.column.received_at"), formatMoment(shown.received_at, language)],
    [t("interfaces.saidAt"), shown.said_at && formatMoment(shown.said_at, language)],
    [t("interfaces.sender"), shown.sender.replace("|", " · ")],
    [t("interfaces.column.accession_number"), shown.accession_number],
    [t("interfaces.size"), formatBytes(shown.size_bytes, language)],
    [
      t("interfaces.replayOf"),
      shown.replay_of && (
        <a key="r" href={interfacesPath("messages", shown.replay_of)} onClick={followLink}>
          {t("interfaces.firstReading")}
        </a>
      ),
    ],
    [t("interfaces.again"), shown.repeats > 0 ? shown.repeats : null],
  ];
  return (
    <dl className={styles.facts}>
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Changes(props: { readonly shown: Message }) {
  const { t } = useTranslation();
  const words = useChangeWords();
  const { shown } = props;
  // What goes out changes nothing here.
  if (shown.direction === "out" && !shown.error && shown.changes.length === 0) return null;
  return (
    <section className={styles.changes} data-testid="message-changes">
      <h3>{t("interfaces.column.changes")}</h3>
      {shown.error && (
        <p className={styles.problem}>{shown.error}</p>
      )}
      {shown.changes.length === 0 && !shown.error && (
        <p className={styles.hint}>{t("interfaces.nothingChanged")}</p>
      )}
      <ul>
        {shown.changes.map((change, index) => {
          const text = words(change.what, 1);
          const path = pathOf(change.what, change.id);
          return (
            <li key={index}>
              {path ? (
                <a href={path} onClick={followLink}>
                  {text}
                </a>
              ) : (
                text
              )}
              {change.detail && <span className={styles.detail}>{change.detail}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** The page of what changed, where it has one. */
function pathOf(what: string, id: string | null | undefined): string | null {
  if (!id) return null;
  if (what.startsWith("case.")) return casePath(id);
  return what.startsWith("slide.") ? slidePath(id) : null;
}

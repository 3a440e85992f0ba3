import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useUnidentified, type Unidentified } from "../../api/identification";
import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { formatCount } from "../../core/cases";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, identificationPath } from "../route";
import { CheckIcon } from "../shell/icons";
import { Notice } from "../shell/Notice";
import { TopBar } from "../shell/TopBar";
import { Candidates } from "./Candidates";
import styles from "./IdentificationPage.module.css";
import { LabelStage } from "./LabelStage";
import { UndoList } from "./UndoList";

const MOST_COUNTED = 1000;

/** Scans that are nobody's: the label, what it reads, and whose each could be. */
export function IdentificationPage(props: { readonly session: Session; readonly slide: string }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const connected = useLiveEvents(language);
  const waiting = useUnidentified();
  const total = waiting.data?.total ?? 0;
  const contradicted = waiting.data?.contradicted ?? 0;
  const items = waiting.data?.items ?? [];
  const chosen = items.find((each) => each.slide_id === props.slide) ?? items[0];

  return (
    <div className={styles.screen}>
      <TopBar session={props.session} connected={connected} />
      <main className={styles.columns} data-testid="identification">
        <aside className={styles.list}>
          <Tabs
            defaultValue="waiting"
            keepMounted={false}
            classNames={{ list: styles.tabs ?? "", tab: styles.tab ?? "" }}
          >
            <Tabs.List aria-label={t("identify.title")}>
              <Tabs.Tab value="waiting">
                {t("identify.waiting", {
                  total: formatCount(total, total >= MOST_COUNTED, language),
                })}
              </Tabs.Tab>
              <Tabs.Tab value="done" data-testid="undo-tab">
                {contradicted > 0
                  ? t("identify.doneContradicted", {
                      total: formatCount(contradicted, contradicted >= MOST_COUNTED, language),
                    })
                  : t("identify.done")}
              </Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="waiting">
              {waiting.isError && !waiting.data && (
                <Notice error={waiting.error} onRetry={() => void waiting.refetch()} />
              )}
              <ul>
                {items.map((each) => (
                  <Entry key={each.slide_id} shown={each} current={each === chosen} />
                ))}
              </ul>
            </Tabs.Panel>
            <Tabs.Panel value="done">
              <UndoList />
            </Tabs.Panel>
          </Tabs>
        </aside>
        {chosen ? (
          <>
            <LabelStage key={`label ${chosen.slide_id}`} shown={chosen} />
            <Candidates key={`choice ${chosen.slide_id}`} shown={chosen} />
          </>
        ) : (
          waiting.isSuccess && (
            <div className={styles.empty} data-testid="nothing-to-identify">
              <CheckIcon />
              <h2>{t("identify.noneTitle")}</h2>
              <p>{t("identify.noneText")}</p>
            </div>
          )
        )}
      </main>
    </div>
  );
}

function Entry(props: { readonly shown: Unidentified; readonly current: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { shown } = props;
  return (
    <li>
      <a
        className={styles.entry}
        href={identificationPath(shown.slide_id)}
        aria-current={props.current ? "true" : undefined}
        onClick={followLink}
        data-testid="to-identify"
        data-reason={shown.reason}
      >
        <strong>{titleOf(shown, t("identify.nothingRead"))}</strong>
        <span>{t(`identify.reason.${shown.reason}`)}</span>
        <span className={styles.when}>{formatMoment(shown.published_at, language)}</span>
      </a>
    </li>
  );
}

/** What was read of a slide; of a patient's code alone, the file. */
function titleOf(shown: Unidentified, nothing: string): string {
  if (shown.codes.length === 0) return nothing;
  return shown.codes.find((code) => code !== null) ?? shown.file_name;
}

import { Tabs } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import {
  useAttachments,
  useUnidentified,
  type RecentAttachment,
  type Unidentified,
} from "../../api/identification";
import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { formatCount } from "../../core/cases";
import { useLanguage } from "../../i18n";
import { identificationPath, navigate } from "../route";
import { CheckIcon } from "../shell/icons";
import { Notice } from "../shell/Notice";
import { TopBar } from "../shell/TopBar";
import { AttachmentPanel } from "./AttachmentPanel";
import { Candidates } from "./Candidates";
import styles from "./IdentificationPage.module.css";
import { LabelStage } from "./LabelStage";
import { UndoList } from "./UndoList";
import { useEntryKeys } from "./useEntryKeys";
import { WaitingList } from "./WaitingList";

const MOST_COUNTED = 1000;

/** Scans that are nobody's, and those that were said to be somebody's: the label beside the data. */
export function IdentificationPage(props: { readonly session: Session; readonly slide: string }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const connected = useLiveEvents(language);
  const [tab, setTab] = useState<"waiting" | "done">("waiting");
  const waiting = useUnidentified();
  const total = waiting.data?.total ?? 0;
  const contradicted = waiting.data?.contradicted ?? 0;

  return (
    <div className={styles.screen}>
      <TopBar session={props.session} connected={connected} />
      <main data-testid="identification">
        <Tabs
          value={tab}
          onChange={(value) => setTab(value === "done" ? "done" : "waiting")}
          keepMounted={false}
          classNames={{
            root: styles.columns ?? "",
            list: styles.tabs ?? "",
            tab: styles.tab ?? "",
            panel: styles.panel ?? "",
          }}
        >
          <Tabs.List aria-label={t("identify.title")}>
            <Tabs.Tab value="waiting">
              {t("identify.title")}
              <span className={styles.count}>
                {formatCount(total, total >= MOST_COUNTED, language)}
              </span>
            </Tabs.Tab>
            <Tabs.Tab value="done" data-testid="undo-tab">
              {t("identify.done")}
              {contradicted > 0 && (
                <span className={styles.trouble}>
                  {t("identify.toReviewCount", {
                    total: formatCount(contradicted, contradicted >= MOST_COUNTED, language),
                  })}
                </span>
              )}
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="waiting">
            <Waiting slide={props.slide} />
          </Tabs.Panel>
          <Tabs.Panel value="done">
            <Done />
          </Tabs.Panel>
        </Tabs>
      </main>
    </div>
  );
}

function Waiting(props: { readonly slide: string }) {
  const { t } = useTranslation();
  const waiting = useUnidentified();
  const items = waiting.data?.items ?? [];
  const chosen = items.find((each) => each.slide_id === props.slide) ?? items[0];
  const at = chosen ? items.indexOf(chosen) : -1;
  const go = (to: Unidentified | undefined): void =>
    navigate(identificationPath(to?.slide_id), { replace: true });
  const keys = useEntryKeys(at, items.length, (to) => go(items[to]));
  const onAttached = (): void => {
    keys.follow();
    go(items[at + 1] ?? items[at - 1]);
  };
  return (
    <>
      <aside className={styles.list}>
        {waiting.isError && !waiting.data && (
          <Notice error={waiting.error} onRetry={() => void waiting.refetch()} />
        )}
        <WaitingList items={items} chosen={chosen} list={keys.list} />
      </aside>
      {chosen ? (
        <>
          <LabelStage key={`label ${chosen.slide_id}`} shown={chosen} />
          <Candidates
            key={`choice ${chosen.slide_id}`}
            shown={chosen}
            onAttached={onAttached}
          />
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
    </>
  );
}

function Done() {
  const { t } = useTranslation();
  const attachments = useAttachments();
  const [wanted, setWanted] = useState<string | null>(null);
  const items = attachments.data?.items ?? [];
  const chosen = items.find((each) => each.id === wanted) ?? items[0];
  const at = chosen ? items.indexOf(chosen) : -1;
  const choose = (to: RecentAttachment | undefined): void => setWanted(to?.id ?? null);
  const keys = useEntryKeys(at, items.length, (to) => choose(items[to]));
  const onUndone = (): void => {
    keys.follow();
    choose(chosen);
  };
  return (
    <>
      <aside className={styles.list}>
        {attachments.isError && !attachments.data && (
          <Notice error={attachments.error} onRetry={() => void attachments.refetch()} />
        )}
        <UndoList items={items} chosen={chosen} list={keys.list} onChoose={choose} />
      </aside>
      {chosen ? (
        <>
          <LabelStage key={`label ${chosen.id}`} shown={chosen} />
          <AttachmentPanel key={`glass ${chosen.id}`} shown={chosen} onUndone={onUndone} />
        </>
      ) : (
        attachments.isSuccess && <p className={styles.empty}>{t("identify.nothingDone")}</p>
      )}
    </>
  );
}

import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { useWorklist, type CaseRow } from "../../api/worklists";
import { useLanguage } from "../../i18n";
import { casesPath, navigate } from "../route";
import page from "../shell/ListPage.module.css";
import { Notice } from "../shell/Notice";
import { TopBar } from "../shell/TopBar";
import { AssignDialogue } from "./AssignDialogue";
import { CaseSearch } from "./CaseSearch";
import styles from "./CasesPage.module.css";
import { CaseTable } from "./CaseTable";
import { listNamed } from "./lists";
import { Rail } from "./Rail";
import { RescanList } from "./RescanList";
import { useCaseKeys } from "./useCaseKeys";
import { useSteadyRows } from "./useSteadyRows";

const URGENT_REFRESH_MS = 5_000;
const REFRESH_MS = 15_000;

/** What who searched for, while this page is loaded: names do not go into addresses or storage. */
let remembered = { who: "", words: "" };

/** The worklists of cases: where a pathologist's day begins. */
export function CasesPage(props: { readonly session: Session; readonly list: string }) {
  const { t } = useTranslation();
  const connected = useLiveEvents(useLanguage());
  const list = listNamed(props.list);
  const who = props.session.name;
  const [words, setWords] = useState(remembered.who === who ? remembered.words : "");
  const [assigning, setAssigning] = useState<CaseRow | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const mayAssign = props.session.permissions.includes("assign_cases");
  const cases = useWorklist(list, words, list === "extemporane" ? URGENT_REFRESH_MS : REFRESH_MS);
  const pages = cases.data?.pages;
  const { rows, element } = useSteadyRows(
    pages?.flatMap(({ items }) => items),
    `${list}\n${words}\n${pages?.length ?? 0}`,
  );

  const look = (next: string): void => {
    remembered = { who, words: next };
    setWords(next);
  };
  const keys = useCaseKeys(rows, search, mayAssign ? setAssigning : null);

  const { forget } = keys;
  useEffect(forget, [list, words, forget]);

  return (
    <div className={page.screen}>
      <TopBar session={props.session} connected={connected} />
      <div className={styles.columns}>
        <Rail
          session={props.session}
          list={list}
          words={words}
          onFilter={(filter) => {
            look(filter.q);
            navigate(casesPath(filter.worklist), { replace: true });
          }}
        />
        <main className={page.main} data-testid="cases" data-list={list}>
          <header className={page.head}>
            <h1>{t(`cases.lists.${list}`)}</h1>
            <CaseSearch field={search} words={words} onWords={look} />
          </header>
          {cases.isError && !cases.data ? (
            <Notice error={cases.error} onRetry={() => void cases.refetch()} />
          ) : (
            <div ref={element}>
              {list === "to-rescan" && !words && <RescanList />}
              <CaseTable
                rows={rows}
                pending={cases.isPending}
                stale={cases.isPlaceholderData}
                current={keys.current}
                onAssign={mayAssign ? setAssigning : null}
              />
            </div>
          )}
          {cases.isSuccess && rows.length === 0 && <Empty list={list} words={words} />}
          {cases.hasNextPage && (
            <div className={page.more}>
              <Button
                variant="default"
                loading={cases.isFetchingNextPage}
                onClick={() => void cases.fetchNextPage()}
                data-testid="more-cases"
              >
                {t("cases.more")}
              </Button>
            </div>
          )}
          {rows.length > 0 && (
            <p className={page.keys}>{t(mayAssign ? "cases.keysAssign" : "cases.keys")}</p>
          )}
        </main>
      </div>
      {assigning && (
        <AssignDialogue
          id={assigning.id}
          accession={assigning.accession_number}
          to={{ account: assigning.pathologist?.id ?? null, group: assigning.group?.id ?? null }}
          me={props.session.name}
          onClose={() => setAssigning(null)}
        />
      )}
    </div>
  );
}

function Empty(props: { readonly list: string; readonly words: string }) {
  const { t } = useTranslation();
  const list = listNamed(props.list);
  return (
    <div className={page.empty} data-testid="no-cases">
      <h2>{t(props.words ? "cases.noMatchTitle" : "cases.emptyTitle")}</h2>
      <p>
        {props.words ? t("cases.noMatchText", { words: props.words }) : t(`cases.empty.${list}`)}
      </p>
      {props.words && list !== "all" && (
        <Button variant="default" onClick={() => navigate(casesPath("all"), { replace: true })}>
          {t("cases.searchAll")}
        </Button>
      )}
    </div>
  );
}

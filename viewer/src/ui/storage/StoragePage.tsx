import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n";
import { navigate, storagePath } from "../route";
import { Notice } from "../shell/Notice";
import { TabbedPage } from "../shell/TabbedPage";
import { TopBar } from "../shell/TopBar";
import { tabsFor } from "./tabs";

/** What is stored, where, for how long, how sound it is and what it will cost: a tab for each. */
export function StoragePage(props: { readonly session: Session; readonly tab: string }) {
  const { t } = useTranslation();
  const connected = useLiveEvents(useLanguage());
  const tabs = tabsFor(props.session);
  const chosen = tabs.find((tab) => tab.id === props.tab) ?? tabs[0];

  return (
    <>
      <TopBar session={props.session} connected={connected} />
      {chosen ? (
        <TabbedPage
          name="storage"
          title={t("storage.title")}
          tabs={tabs.map((tab) => ({
            id: tab.id,
            title: t(tab.title),
            content: <tab.component session={props.session} />,
          }))}
          chosen={chosen.id}
          onChoose={(id) => navigate(storagePath(id), { replace: true })}
        />
      ) : (
        <Notice error={new ApiProblem(403, "", t("storage.forbidden"))} />
      )}
    </>
  );
}

import { Loader, Tabs } from "@mantine/core";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";

import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n";
import { navigate, storagePath } from "../route";
import { TopBar } from "../shell/TopBar";
import styles from "./StoragePage.module.css";
import { tabsFor } from "./tabs";

/** What is stored, where, for how long, how sound it is and what it will cost: a tab for each. */
export function StoragePage(props: { readonly session: Session; readonly tab: string }) {
  const { t } = useTranslation();
  const connected = useLiveEvents(useLanguage());
  const tabs = tabsFor(props.session);
  const chosen = tabs.find((tab) => tab.id === props.tab) ?? tabs[0];

  return (
    <div className={styles.screen}>
      <TopBar session={props.session} connected={connected} />
      <main className={styles.main} data-testid="storage">
        <h1 className={styles.title}>{t("storage.title")}</h1>
        {chosen ? (
          <Tabs
            value={chosen.id}
            onChange={(id) => navigate(storagePath(id ?? ""), { replace: true })}
            keepMounted={false}
            classNames={{ list: styles.list ?? "", tab: styles.tab ?? "" }}
          >
            <Tabs.List aria-label={t("storage.title")}>
              {tabs.map((tab) => (
                <Tabs.Tab key={tab.id} value={tab.id} data-testid={`storage-tab-${tab.id}`}>
                  {t(tab.title)}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {tabs.map((tab) => (
              <Tabs.Panel key={tab.id} value={tab.id}>
                <Suspense fallback={<Loader color="dark.2" size="sm" className={styles.waiting} />}>
                  <tab.component session={props.session} />
                </Suspense>
              </Tabs.Panel>
            ))}
          </Tabs>
        ) : (
          <p role="alert">{t("storage.forbidden")}</p>
        )}
      </main>
    </div>
  );
}

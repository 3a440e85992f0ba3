import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import { useInterfaces, useOutbox } from "../../api/interfaces";
import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n";
import { interfacesPath, navigate } from "../route";
import { Notice } from "../shell/Notice";
import { TopBar } from "../shell/TopBar";
import { InterfaceCard } from "./InterfaceCard";
import styles from "./InterfacesPage.module.css";
import { MessageDialogue } from "./MessageDialogue";
import { MessagesTab } from "./MessagesTab";
import { OutboxTab } from "./OutboxTab";

const TABS = ["health", "messages", "outbox"] as const;
type Tab = (typeof TABS)[number];

interface Shown {
  readonly session: Session;
  readonly tab: string;
  readonly message: string;
}

/** The links with the laboratory's system, for whoever may see them. */
export function InterfacesPage(props: Shown) {
  const { t } = useTranslation();
  const connected = useLiveEvents(useLanguage());
  const mayView = props.session.permissions.includes("view_interfaces");
  return (
    <div className={styles.screen}>
      <TopBar session={props.session} connected={connected} />
      {mayView ? (
        <Interfaces {...props} />
      ) : (
        <Notice error={new ApiProblem(403, "", t("error.forbidden"))} />
      )}
    </div>
  );
}

/** How they are, what went through them, what waits. */
function Interfaces(props: Shown) {
  const { t } = useTranslation();
  const outbox = useOutbox();
  const tab: Tab = TABS.find((each) => each === props.tab) ?? "health";
  const stopped =
    outbox.data?.items.filter((each) => each.state === "refused" || each.state === "dead").length ??
    0;

  return (
    <>
      <main className={styles.main} data-testid="interfaces">
        <h1 className={styles.title}>{t("interfaces.title")}</h1>
        <Tabs
          value={tab}
          onChange={(id) => navigate(interfacesPath(id ?? ""), { replace: true })}
          keepMounted={false}
          classNames={{ list: styles.list ?? "", tab: styles.tab ?? "" }}
        >
          <Tabs.List aria-label={t("interfaces.title")}>
            {TABS.map((each) => (
              <Tabs.Tab key={each} value={each} data-testid={`interfaces-tab-${each}`}>
                {t(`interfaces.tabs.${each}`)}
                {each === "outbox" && stopped > 0 && (
                  <span className={styles.badge}>{stopped}</span>
                )}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="health">
            <Cards />
          </Tabs.Panel>
          <Tabs.Panel value="messages">
            <MessagesTab />
          </Tabs.Panel>
          <Tabs.Panel value="outbox">
            <OutboxTab session={props.session} />
          </Tabs.Panel>
        </Tabs>
      </main>
      {props.message && (
        <MessageDialogue
          key={props.message}
          id={props.message}
          session={props.session}
          onClose={() => navigate(interfacesPath(tab), { replace: true })}
        />
      )}
    </>
  );
}

function Cards() {
  const { t } = useTranslation();
  const interfaces = useInterfaces();
  if (interfaces.isError && !interfaces.data) {
    return <Notice error={interfaces.error} onRetry={() => void interfaces.refetch()} />;
  }
  if (interfaces.data?.items.length === 0) {
    return <p className={styles.none}>{t("interfaces.none")}</p>;
  }
  return (
    <div className={styles.cards}>
      {interfaces.data?.items.map((each) => <InterfaceCard key={each.name} shown={each} />)}
    </div>
  );
}

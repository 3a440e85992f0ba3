import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import { useOutbox } from "../../api/interfaces";
import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n";
import { interfacesPath, navigate } from "../route";
import { Notice } from "../shell/Notice";
import { TabbedPage } from "../shell/TabbedPage";
import { TopBar } from "../shell/TopBar";
import { HealthTab } from "./HealthTab";
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
    <>
      <TopBar session={props.session} connected={connected} />
      {mayView ? (
        <Interfaces {...props} />
      ) : (
        <Notice error={new ApiProblem(403, "", t("error.forbidden"))} />
      )}
    </>
  );
}

/** How they are, what went through them, what waits. */
function Interfaces(props: Shown) {
  const { t } = useTranslation();
  const outbox = useOutbox();
  const { session } = props;
  const tab: Tab = TABS.find((each) => each === props.tab) ?? "health";
  const stopped =
    outbox.data?.items.filter((each) => each.state === "refused" || each.state === "dead").length ??
    0;
  const contents = {
    health: <HealthTab session={session} />,
    messages: <MessagesTab />,
    outbox: <OutboxTab session={session} />,
  };

  return (
    <>
      <TabbedPage
        name="interfaces"
        title={t("interfaces.title")}
        tabs={TABS.map((id) => ({
          id,
          title: t(`interfaces.tabs.${id}`),
          wanted: id === "outbox" ? stopped : 0,
          content: contents[id],
        }))}
        chosen={tab}
        onChoose={(id) => navigate(interfacesPath(id), { replace: true })}
        wide
      />
      {props.message && (
        <MessageDialogue
          key={props.message}
          id={props.message}
          session={session}
          onClose={() => navigate(interfacesPath(tab), { replace: true })}
        />
      )}
    </>
  );
}

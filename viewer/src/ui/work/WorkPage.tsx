import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n";
import { navigate, workPath } from "../route";
import { Notice } from "../shell/Notice";
import { TabbedPage } from "../shell/TabbedPage";
import { TopBar } from "../shell/TopBar";
import { GroupsTab } from "./GroupsTab";
import { LinksTab } from "./LinksTab";
import { RulesTab } from "./RulesTab";
import { TargetsTab } from "./TargetsTab";

const TABS = ["groups", "rules", "targets", "links"] as const;
type Tab = (typeof TABS)[number];

/** How work is shared out: for who may change that, and nobody else. */
export function WorkPage(props: { readonly session: Session; readonly tab: string }) {
  const { t } = useTranslation();
  const connected = useLiveEvents(useLanguage());
  const { permissions } = props.session;
  const chosen: Tab = TABS.find((each) => each === props.tab) ?? "groups";
  const contents: Record<Tab, ReactNode> = {
    groups: <GroupsTab />,
    rules: <RulesTab />,
    targets: <TargetsTab />,
    links: <LinksTab mayChange={permissions.includes("change_interfaces")} />,
  };
  return (
    <>
      <TopBar session={props.session} connected={connected} />
      {permissions.includes("change_case_rules") ? (
        <TabbedPage
          name="work"
          title={t("work.title")}
          tabs={TABS.map((id) => ({
            id,
            title: t(`work.tabs.${id}`),
            content: contents[id],
          }))}
          chosen={chosen}
          onChoose={(id) => navigate(workPath(id), { replace: true })}
        />
      ) : (
        <Notice error={new ApiProblem(403, "", t("error.forbidden"))} />
      )}
    </>
  );
}

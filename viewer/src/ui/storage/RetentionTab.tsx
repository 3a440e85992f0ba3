import { Loader } from "@mantine/core";

import { useRetention } from "../../api/retention";
import type { Session } from "../../api/types";
import { Notice } from "../shell/Notice";
import { DestructionsSection } from "./DestructionsSection";
import { DueSection } from "./DueSection";
import { HoldsSection } from "./HoldsSection";
import styles from "./RetentionTab.module.css";
import { RuleSection } from "./RuleSection";

/** How long slides are kept, which are due, and what two people have decided to destroy. */
export function RetentionTab(props: { readonly session: Session }) {
  const rule = useRetention();
  if (rule.isPending) return <Loader color="dark.2" size="sm" className={styles.waiting} />;
  if (rule.isError && !rule.data) {
    return <Notice error={rule.error} onRetry={() => void rule.refetch()} />;
  }
  const may = (permission: string): boolean => props.session.permissions.includes(permission);
  return (
    <div className={styles.tab} data-testid="retention">
      <RuleSection rule={rule.data} mayChange={may("change_retention")} />
      <DestructionsSection
        mayApprove={may("approve_destruction")}
        mayAsk={may("ask_destruction")}
        waitDays={rule.data.wait_days}
      />
      <DueSection mayAsk={may("ask_destruction")} />
      <HoldsSection />
    </div>
  );
}

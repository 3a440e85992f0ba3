import { useTranslation } from "react-i18next";

import { useInterfaces } from "../../api/interfaces";
import type { Session } from "../../api/types";
import { Notice } from "../shell/Notice";
import styles from "./HealthTab.module.css";
import { InterfaceCard } from "./InterfaceCard";

/** Each interface, with the sentence that an administrator needs first. */
export function HealthTab(props: { readonly session: Session }) {
  const { t } = useTranslation();
  const interfaces = useInterfaces();
  const mayChange = props.session.permissions.includes("change_interfaces");
  if (interfaces.isError && !interfaces.data) {
    return <Notice error={interfaces.error} onRetry={() => void interfaces.refetch()} />;
  }
  if (interfaces.data?.items.length === 0) {
    return <p className={styles.none}>{t("interfaces.none")}</p>;
  }
  return (
    <div className={styles.cards}>
      {interfaces.data?.items.map((each) => (
        <InterfaceCard key={each.name} shown={each} mayChange={mayChange} />
      ))}
    </div>
  );
}

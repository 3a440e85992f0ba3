import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useSignOut } from "../../api/queries";
import type { Session } from "../../api/types";
import { SignOutIcon } from "./icons";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Reticle";
import styles from "./TopBar.module.css";

export function TopBar(props: { readonly session: Session; readonly connected: boolean }) {
  const { t } = useTranslation();
  const signOut = useSignOut();
  const { session } = props;
  return (
    <header className={styles.bar}>
      <div className={styles.product} title={t("product.name")}>
        <Mark />
        <span>{t("product.short")}</span>
      </div>
      <div className={styles.establishment}>{session.establishment.name}</div>
      <div className={styles.end}>
        {!props.connected && (
          <span className={styles.offline} role="status">
            {t("bar.offline")}
          </span>
        )}
        <span className={styles.user} title={t("bar.user", { name: session.name })}>
          {session.name}
        </span>
        <LanguageSwitch />
        <Tooltip label={t("bar.signOut")} openDelay={400}>
          <button
            type="button"
            className={styles.signOut}
            aria-label={t("bar.signOut")}
            data-testid="sign-out"
            onClick={() => signOut.mutate()}
          >
            <SignOutIcon />
          </button>
        </Tooltip>
      </div>
    </header>
  );
}

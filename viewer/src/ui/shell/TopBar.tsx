import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useSignOut } from "../../api/queries";
import type { Session } from "../../api/types";
import { followLink, useRoute } from "../route";
import { SignOutIcon } from "./icons";
import { LanguageSwitch } from "./LanguageSwitch";
import { isHere, placesFor } from "./places";
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
      <Places session={session} />
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

/** Where one can go. */
function Places(props: { readonly session: Session }) {
  const { t } = useTranslation();
  const { screen } = useRoute();
  return (
    <nav className={styles.places} aria-label={t("bar.places")}>
      {placesFor(props.session).map((place) => (
        <a
          key={place.id}
          href={place.path}
          aria-current={isHere(place, screen, props.session) ? "page" : undefined}
          onClick={followLink}
          data-testid={`to-${place.id}`}
        >
          {t(place.title)}
        </a>
      ))}
    </nav>
  );
}

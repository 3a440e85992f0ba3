import { useTranslation } from "react-i18next";

import { sglAddress, useSglLinks } from "../../api/cases";
import type { Session } from "../../api/types";
import { LeaveIcon } from "../shell/icons";
import styles from "./SglLinks.module.css";

/** From a case here to the same case in the laboratory's system. */
export function SglLinks(props: { readonly id: string; readonly session: Session }) {
  const { t } = useTranslation();
  const links = useSglLinks(props.session.role !== "guest");
  const items = links.data?.items ?? [];
  return items.map(({ name }) => (
    <a
      key={name}
      className={styles.link}
      href={sglAddress(props.id, name)}
      target="_blank"
      rel="noreferrer"
      data-testid="sgl-link"
    >
      <LeaveIcon />
      {items.length === 1 ? t("case.openSgl") : t("case.openSglNamed", { name })}
    </a>
  ));
}

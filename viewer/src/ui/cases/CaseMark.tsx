import { useTranslation } from "react-i18next";

import type { Priority } from "../../core/cases";
import { ClockIcon, SoonIcon, UrgentIcon } from "../shell/icons";
import styles from "./CaseMark.module.css";

const ICONS = { extemporane: ClockIcon, stat: UrgentIcon, asap: SoonIcon } as const;

/** A frozen section or an urgent case; a routine one bears no mark. */
export function CaseMark(props: {
  readonly extemporane: boolean;
  readonly priority: Priority | null;
  /** With its word beside it. */
  readonly worded?: boolean;
}) {
  const { t } = useTranslation();
  const kind = props.extemporane
    ? "extemporane"
    : props.priority === "S"
      ? "stat"
      : props.priority === "A"
        ? "asap"
        : null;
  if (kind === null) return null;
  const word = t(`cases.mark.${kind}`);
  return (
    <span className={styles.mark} data-kind={kind} title={word} data-testid={`mark-${kind}`}>
      {ICONS[kind]()}
      <span className={props.worded ? undefined : "visually-hidden"}>{word}</span>
    </span>
  );
}

import { useTranslation } from "react-i18next";

import { useMoves, type TierMove } from "../../api/tiers";
import { formatPercent } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import styles from "./PoliciesTab.module.css";

/** Slides on their way between tiers, and those that moved lately. */
export function MovesSection() {
  const { t } = useTranslation();
  const moves = useMoves();
  if (!moves.data || moves.data.length === 0) return null;
  return (
    <section data-testid="moves">
      <h2 className={styles.heading}>{t("policies.movesTitle")}</h2>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th>{t("policies.slide")}</th>
              <th>{t("policies.what")}</th>
              <th>{t("policies.state")}</th>
              <th>{t("policies.askedBy")}</th>
              <th>{t("policies.askedAt")}</th>
            </tr>
          </thead>
          <tbody>
            {moves.data.map((move) => (
              <Row key={move.id} move={move} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row(props: { readonly move: TierMove }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { move } = props;
  return (
    <tr data-state={move.state}>
      <td>
        <a href={slidePath(move.slide_id)} onClick={followLink}>
          {move.file_name}
        </a>
      </td>
      <td>{t(move.target === "cold" ? "policies.cooling" : "policies.restoring")}</td>
      <td className={styles.progressOf} title={move.reason ?? undefined}>
        {t(`policies.states.${move.state}`)}
        {move.state === "running" && ` ${formatPercent(move.progress, language)}`}
      </td>
      <td>{move.asked_by ?? t("policies.byRules")}</td>
      <td>{formatMoment(move.asked_at, language)}</td>
    </tr>
  );
}

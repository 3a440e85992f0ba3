import { useTranslation } from "react-i18next";

import type { Simulation } from "../../api/tiers";
import { formatBytes } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import { sentenceFor } from "../shell/problem";
import styles from "./PoliciesTab.module.css";

/** What rules would do; nothing was done. */
export function SimulationSection(props: {
  readonly simulation: Simulation | null;
  readonly error: Error | null;
  readonly outdated: boolean;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { simulation } = props;
  if (props.error) {
    return (
      <p className={styles.problem} role="alert">
        {sentenceFor(props.error, t)}
      </p>
    );
  }
  if (!simulation) return null;
  const money = (value: number): string =>
    new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);
  return (
    <section className={styles.simulation} data-testid="simulation" data-outdated={props.outdated}>
      <h2 className={styles.heading}>{t("policies.simulated")}</h2>
      {simulation.slides === 0 ? (
        <p className={styles.sentence}>{t("policies.nothingWould")}</p>
      ) : (
        <>
          <p className={styles.sentence}>
            {t("policies.would", {
              count: simulation.slides,
              size: formatBytes(simulation.size_bytes, language),
              cold: formatBytes(simulation.cold_bytes, language),
            })}
          </p>
          <p className={styles.hint}>
            {t("policies.saved", {
              size: formatBytes(simulation.size_bytes - simulation.cold_bytes, language),
              count: simulation.days,
            })}{" "}
            {simulation.saved_a_month === null
              ? t("policies.noPrices")
              : t("policies.money", { amount: money(simulation.saved_a_month) })}
          </p>
          <div className={styles.scroll}>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th>{t("policies.slide")}</th>
                  <th>{t("policies.publishedOn")}</th>
                  <th>{t("policies.viewedOn")}</th>
                  <th className={styles.number}>{t("policies.moves")}</th>
                  <th className={styles.number}>{t("policies.becomes")}</th>
                </tr>
              </thead>
              <tbody>
                {simulation.items.map((slide) => (
                  <tr key={slide.id}>
                    <td>
                      <a href={slidePath(slide.id)} onClick={followLink}>
                        {slide.file_name}
                      </a>
                    </td>
                    <td>{formatMoment(slide.published_at, language)}</td>
                    <td>
                      {slide.last_viewed_at === null
                        ? t("policies.never")
                        : formatMoment(slide.last_viewed_at, language)}
                    </td>
                    <td className={styles.number}>{formatBytes(slide.size_bytes, language)}</td>
                    <td className={styles.number}>{formatBytes(slide.cold_bytes, language)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {simulation.slides > simulation.items.length && (
            <p className={styles.hint}>
              {t("policies.andMore", { count: simulation.slides - simulation.items.length })}
            </p>
          )}
        </>
      )}
      <p className={styles.hint}>
        {t(props.outdated ? "policies.outdated" : "policies.nothingDone")}
      </p>
    </section>
  );
}

import { useTranslation } from "react-i18next";

import {
  byAge,
  formatMoney,
  formatMonth,
  formatNumber,
  formatTb,
  TB,
  type Activity,
  type Forecast,
} from "../../core/capacity";
import { useLanguage } from "../../i18n";
import styles from "./CapacityTab.module.css";

/** How the forecast is reckoned, with this very forecast's numbers. */
export function Formula(props: { readonly activity: Activity; readonly forecast: Forecast }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { activity, forecast } = props;
  const number = (value: number, digits = 1): string => formatNumber(value, language, digits);
  const tb = (bytes: number): string => formatTb(bytes, language);
  const [first] = forecast.years;
  const last = forecast.years.at(-1);
  const before = forecast.years.at(-2);
  if (!first || !last || !before) return null;
  const ages = byAge(activity, last);
  const aged = ages && {
    young: tb(ages.young),
    old: tb(ages.old),
    small: number(activity.warm_share * 100),
    rest: number(100 - activity.warm_share * 100),
    factor: number(activity.cold_factor * 100),
    warm: tb(last.warm_bytes / activity.copies),
    cold: tb(last.cold_bytes / activity.copies),
  };
  return (
    <section className={styles.section} aria-labelledby="capacity-formula">
      <h2 id="capacity-formula">{t("capacity.formula.title")}</h2>
      <ol className={styles.formula} data-testid="capacity-formula">
        <li>
          {t("capacity.formula.slides", {
            perDay: number(activity.slides_per_day),
            days: number(activity.working_days_per_year),
            perYear: number(first.slides, 0),
            size: `${number(activity.mean_size_bytes / 1e9, 3)}\u00a0${language === "fr" ? "Go" : "GB"}`,
            bytes: tb(first.size_bytes),
          })}{" "}
          {activity.growth_percent_per_year !== 0 &&
            t("capacity.formula.growth", {
              percent: number(activity.growth_percent_per_year),
              last: number(last.slides, 0),
            })}{" "}
          {t("capacity.formula.months")}
        </li>
        <li>
          {t("capacity.formula.retention", { years: number(activity.retention_years, 2) })}{" "}
          {t("capacity.formula.kept", {
            before: tb(before.kept_bytes),
            came: tb(last.size_bytes),
            destroyed: tb(last.destroyed_bytes),
            kept: tb(last.kept_bytes),
          })}
        </li>
        <li>
          {activity.days_until_cold === null
            ? t("capacity.formula.neverCold")
            : t("capacity.formula.cold", {
                days: number(activity.days_until_cold),
                small: number(activity.warm_share * 100),
                rest: number(100 - activity.warm_share * 100),
                factor: number(activity.cold_factor * 100),
              })}{" "}
          {aged && t("capacity.formula.split", { month: formatMonth(last.last_day, language), ...aged })}
        </li>
        <li>
          {t("capacity.formula.copies", {
            count: activity.copies,
            warm: tb(last.warm_bytes),
            cold: tb(last.cold_bytes),
            month: formatMonth(last.last_day, language),
          })}
        </li>
        <li>
          <Cost activity={activity} forecast={forecast} />
        </li>
      </ol>
      <p className={styles.hint}>{t("capacity.formula.notCounted")}</p>
    </section>
  );
}

function Cost(props: { readonly activity: Activity; readonly forecast: Forecast }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { prices } = props.activity;
  const end = props.forecast.months.at(-1);
  const begin = props.forecast.months.at(-2);
  if (!prices || !begin || !end || end.cost === null) return t("capacity.formula.noPrices");
  const mean = (tier: "warm_bytes" | "cold_bytes"): string =>
    formatNumber((begin[tier] + end[tier]) / 2 / TB, language, 2);
  const price = (value: number): string => formatNumber(value, language, 2);
  return t("capacity.formula.cost", {
    month: formatMonth(end.last_day, language),
    warm: mean("warm_bytes"),
    warmPrice: price(prices.warm),
    cold: mean("cold_bytes"),
    coldPrice: price(prices.cold),
    cost: formatMoney(end.cost, language),
  });
}

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { readForecastCsv } from "../../api/capacity";
import {
  chartPoints,
  formatMoney,
  formatMonth,
  formatNumber,
  formatTb,
  type Activity,
  type Forecast,
  type Period,
} from "../../core/capacity";
import { useLanguage } from "../../i18n";
import { Notice } from "../shell/Notice";
import { sentenceFor } from "../shell/problem";
import styles from "./CapacityTab.module.css";

// The chart's library is as large as the rest of the application: nobody else pays for it.
const ForecastChart = lazy(() =>
  import("./ForecastChart").then((module) => ({ default: module.ForecastChart })),
);

/** The coming years as a chart, and the same as tables. */
export function ForecastSection(props: {
  readonly activity: Activity | null;
  readonly forecast: Forecast | undefined;
  readonly error: Error | null;
  readonly onRetry: () => void;
}) {
  const { t } = useTranslation();
  const { activity, forecast } = props;
  if (props.error && !forecast) return <Notice error={props.error} onRetry={props.onRetry} />;
  return (
    <section className={styles.section} aria-labelledby="capacity-forecast">
      <div className={styles.head}>
        <h2 id="capacity-forecast">{t("capacity.forecast")}</h2>
        {activity && <Download activity={activity} />}
      </div>
      {props.error && (
        <p role="alert" className={styles.problem}>
          {sentenceFor(props.error, t)}
        </p>
      )}
      <div className={styles.chart}>
        {forecast && (
          <Suspense>
            <ForecastChart points={chartPoints(forecast)} />
          </Suspense>
        )}
      </div>
      {forecast && (
        <>
          <Periods title={t("capacity.byYear")} periods={forecast.years} yearly />
          <details className={styles.more} data-testid="capacity-months">
            <summary>{t("capacity.byMonth")}</summary>
            <Periods title={t("capacity.byMonth")} periods={forecast.months} />
          </details>
        </>
      )}
    </section>
  );
}

function Periods(props: {
  readonly title: string;
  readonly periods: readonly Period[];
  readonly yearly?: boolean;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const money = (value: number | null): string => (value === null ? "–" : formatMoney(value, language));
  const name = ({ first_day, last_day }: Period): string => {
    const last = formatMonth(last_day, language, true);
    return props.yearly ? `${formatMonth(first_day, language, true)} – ${last}` : last;
  };
  return (
    <div className={styles.scroll}>
      <table className={styles.table} data-testid={props.yearly ? "capacity-years" : undefined}>
        <caption className="visually-hidden">{props.title}</caption>
        <thead>
          <tr>
            <th scope="col">{t(props.yearly ? "capacity.year" : "capacity.month")}</th>
            <th scope="col">{t("capacity.slidesIn")}</th>
            <th scope="col">{t("capacity.warmAtEnd")}</th>
            <th scope="col">{t("capacity.coldAtEnd")}</th>
            <th scope="col">{t("capacity.totalAtEnd")}</th>
            <th scope="col">{t("capacity.cost")}</th>
            <th scope="col">{t("capacity.costSoFar")}</th>
          </tr>
        </thead>
        <tbody>
          {props.periods.map((period) => (
            <tr key={period.first_day}>
              <th scope="row">{name(period)}</th>
              <td>{formatNumber(period.slides, language)}</td>
              <td>{formatTb(period.warm_bytes, language)}</td>
              <td>{formatTb(period.cold_bytes, language)}</td>
              <td>{formatTb(period.warm_bytes + period.cold_bytes, language)}</td>
              <td>{money(period.cost)}</td>
              <td>{money(period.cost_since_start)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Download(props: { readonly activity: Activity }) {
  const { t } = useTranslation();
  const fetched = useMutation({
    mutationFn: readForecastCsv,
    onSuccess: (blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `forecast-${new Date().toISOString().slice(0, 10)}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    },
  });
  return (
    <>
      {fetched.error && (
        <span role="alert" className={styles.problem}>
          {sentenceFor(fetched.error, t)}
        </span>
      )}
      <Button
        variant="default"
        size="xs"
        loading={fetched.isPending}
        onClick={() => fetched.mutate(props.activity)}
        data-testid="capacity-forecast-csv"
      >
        {t("capacity.csv")}
      </Button>
    </>
  );
}

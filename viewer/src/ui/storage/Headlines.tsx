import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Capacity } from "../../api/capacity";
import {
  formatMoney,
  formatMonth,
  formatNumber,
  type Activity,
  type FieldId,
  type Forecast,
} from "../../core/capacity";
import { formatBytes } from "../../core/text";
import { useLanguage } from "../../i18n";
import { fieldElement } from "./ActivityForm";
import styles from "./CapacityTab.module.css";

/** The answers: how much there is, how much there will be, when it is full, what it costs. */
export function Headlines(props: {
  readonly capacity: Capacity | undefined;
  readonly activity: Activity | null;
  readonly forecast: Forecast | undefined;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { activity, forecast } = props;
  const total = props.capacity?.total;
  const bytes = (value: number): string => formatBytes(value, language);
  const last = forecast?.years.at(-1);
  return (
    <dl className={styles.headlines}>
      <Headline title={t("capacity.today")} value={total && bytes(total.size_bytes)} id="today">
        {total &&
          (total.slides === 0
            ? t("capacity.noSlides")
            : t("capacity.slidesOf", {
                count: total.slides,
                slides: formatNumber(total.slides, language),
                size: bytes(total.size_bytes / total.slides),
              }))}
        {total && total.cold_bytes > 0 && (
          <> {t("capacity.ofThemCold", { size: bytes(total.cold_bytes) })}</>
        )}
      </Headline>
      <Headline
        title={t("capacity.inFiveYears")}
        value={last && bytes(last.warm_bytes + last.cold_bytes)}
        id="five-years"
      >
        {last &&
          t(last.cold_bytes > 0 ? "capacity.inTiers" : "capacity.allWarm", {
            month: formatMonth(last.last_day, language),
            warm: bytes(last.warm_bytes),
            cold: bytes(last.cold_bytes),
          })}
      </Headline>
      <Full activity={activity} forecast={forecast} />
      <Headline
        title={t("capacity.costOfFiveYears")}
        value={
          last && (last.cost_since_start === null ? "–" : formatMoney(last.cost_since_start, language))
        }
        id="cost"
      >
        {last &&
          (last.cost === null ? (
            <ToField field="priceWarm">{t("capacity.noPrices")}</ToField>
          ) : (
            t("capacity.costOfYears", {
              first: formatMoney(forecast?.years[0]?.cost ?? 0, language),
              last: formatMoney(last.cost, language),
            })
          ))}
      </Headline>
    </dl>
  );
}

function Full(props: {
  readonly activity: Activity | null;
  readonly forecast: Forecast | undefined;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { activity, forecast } = props;
  if (!activity || !forecast) return <Headline title={t("capacity.full")} value={undefined} id="full" />;
  const { room } = activity;
  const tiers = (["warm", "cold"] as const).filter((tier) => room[tier] !== null);
  const ends = tiers
    .map((tier) => ({ tier, day: tier === "warm" ? forecast.warm_full : forecast.cold_full }))
    .sort((a, b) => ((a.day ?? "9999") < (b.day ?? "9999") ? -1 : 1));
  const first = ends[0];
  if (!first) {
    return (
      <Headline title={t("capacity.full")} value="–" id="full">
        <ToField field="roomWarm">{t("capacity.noRoom")}</ToField>
      </Headline>
    );
  }
  return (
    <Headline
      title={t("capacity.full")}
      value={first.day === null ? t("capacity.notFull") : formatMonth(first.day, language)}
      tone={first.day === null ? "done" : "trouble"}
      id="full"
    >
      {ends
        .map(({ tier, day }) =>
          t(day === null ? "capacity.tierSuffices" : "capacity.tierFull", {
            tier: t(`capacity.${tier}`),
            size: bytesOf(room[tier], language),
            month: day === null ? "" : formatMonth(day, language),
          }),
        )
        .join(" ")}
    </Headline>
  );
}

/** Leads to where what is missing is typed in. */
function ToField(props: { readonly field: FieldId; readonly children: ReactNode }) {
  return (
    <button
      type="button"
      className={styles.link}
      onClick={() => document.getElementById(fieldElement(props.field))?.focus()}
    >
      {props.children}
    </button>
  );
}

function bytesOf(tb: number | null, language: "fr" | "en"): string {
  return formatBytes((tb ?? 0) * 1e12, language);
}

function Headline(props: {
  readonly title: string;
  readonly value: string | undefined;
  readonly id: string;
  readonly tone?: "done" | "trouble";
  readonly children?: ReactNode;
}) {
  return (
    <div className={styles.headline} data-tone={props.tone} data-testid={`capacity-${props.id}`}>
      <dt>{props.title}</dt>
      <dd className={styles.value}>{props.value ?? "\u00a0"}</dd>
      <dd className={styles.note}>{props.children}</dd>
    </div>
  );
}

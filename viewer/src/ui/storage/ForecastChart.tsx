import { useTranslation } from "react-i18next";
import {
  Area,
  CartesianGrid,
  ComposedChart,
  Line,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
  type TooltipContentProps,
} from "recharts";

import {
  axisTicks,
  formatMoney,
  formatMonth,
  formatNumber,
  formatTb,
  TB,
  type ChartPoint,
} from "../../core/capacity";
import { useLanguage } from "../../i18n";
import styles from "./ForecastChart.module.css";

const COLOURS = { warm: "#c9a063", cold: "#6f9cc4", cost: "#d9d4fa" } as const;
const AXIS = { fill: "#a9a9ad", fontSize: 12 } as const;

/** Tiers stacked, month by month, and what each month costs; the table beside it says the same. */
export function ForecastChart(props: { readonly points: readonly ChartPoint[] }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { points } = props;
  const hasCost = points.some((point) => point.cost !== null);
  const hasCold = points.some((point) => point.cold > 0);
  const years = points.filter((_, index) => index % 12 === 0).map((point) => point.day);
  const byteTicks = axisTicks(Math.max(...points.map((point) => point.warm + point.cold)));
  const costTicks = axisTicks(Math.max(...points.map((point) => point.cost ?? 0)));
  const tb = language === "fr" ? "To" : "TB";
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.legend}>
        <Key colour={COLOURS.warm} name={t("capacity.warm")} />
        {hasCold && <Key colour={COLOURS.cold} name={t("capacity.cold")} />}
        {hasCost && <Key colour={COLOURS.cost} name={t("capacity.costOfMonth")} line />}
      </figcaption>
      <div role="img" aria-label={t("capacity.chart")} className={styles.canvas}>
        <ResponsiveContainer width="100%" height="100%">
          <ComposedChart
            data={[...points]}
            margin={{ top: 8, right: hasCost ? 0 : 12, bottom: 0, left: 0 }}
            accessibilityLayer={false}
          >
            <CartesianGrid stroke="#2a2a2c" vertical={false} />
            <XAxis
              dataKey="day"
              ticks={years}
              tickFormatter={(day: string) => formatMonth(day, language, true)}
              tick={AXIS}
              tickLine={false}
              axisLine={{ stroke: "#4a4a4d" }}
              interval="preserveStartEnd"
            />
            <YAxis
              yAxisId="bytes"
              {...ranging(byteTicks)}
              tickFormatter={(value: number) => `${formatNumber(value, language, 6)}\u00a0${tb}`}
              tick={AXIS}
              tickLine={false}
              axisLine={false}
              width={78}
            />
            {hasCost && (
              <YAxis
                yAxisId="cost"
                orientation="right"
                {...ranging(costTicks)}
                tickFormatter={(value: number) => formatMoney(value, language)}
                tick={AXIS}
                tickLine={false}
                axisLine={false}
                width={78}
              />
            )}
            <Tooltip content={Told} cursor={{ stroke: "#86868a" }} isAnimationActive={false} />
            <Area
              yAxisId="bytes"
              dataKey="warm"
              stackId="tiers"
              stroke={COLOURS.warm}
              fill={COLOURS.warm}
              fillOpacity={0.55}
              isAnimationActive={false}
            />
            {hasCold && (
              <Area
                yAxisId="bytes"
                dataKey="cold"
                stackId="tiers"
                stroke={COLOURS.cold}
                fill={COLOURS.cold}
                fillOpacity={0.5}
                isAnimationActive={false}
              />
            )}
            {hasCost && (
              <Line
                yAxisId="cost"
                dataKey="cost"
                stroke={COLOURS.cost}
                strokeWidth={2}
                strokeDasharray="5 3"
                dot={false}
                isAnimationActive={false}
              />
            )}
          </ComposedChart>
        </ResponsiveContainer>
      </div>
    </figure>
  );
}

function ranging(ticks: readonly number[]) {
  return { ticks: [...ticks], domain: [0, ticks.at(-1) ?? 1] };
}

/** What lies under the pointer. */
function Told(props: TooltipContentProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const point = props.payload[0]?.payload as ChartPoint | undefined;
  if (!props.active || !point) return null;
  return (
    <div className={styles.told}>
      <strong>{formatMonth(point.day, language)}</strong>
      <span>{t("capacity.warm")}</span>
      <span>{formatTb(point.warm * TB, language)}</span>
      <span>{t("capacity.cold")}</span>
      <span>{formatTb(point.cold * TB, language)}</span>
      {point.cost !== null && (
        <>
          <span>{t("capacity.costOfMonthBefore")}</span>
          <span>{formatMoney(point.cost, language)}</span>
        </>
      )}
    </div>
  );
}

function Key(props: { readonly colour: string; readonly name: string; readonly line?: boolean }) {
  return (
    <span className={styles.key}>
      <i data-line={props.line} style={{ color: props.colour }} />
      {props.name}
    </span>
  );
}

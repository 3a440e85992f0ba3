import { Button, NumberInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useSetTargets, useTurnaround, type Turnaround, type Turnarounds } from "../../api/work";
import { formatNumber } from "../../core/capacity";
import { formatSpan } from "../../core/cases";
import { inTime, isTarget, type TargetKind } from "../../core/work";
import { useLanguage } from "../../i18n";
import { sentenceFor } from "../shell/problem";
import { Intro, Waiting } from "./Section";
import styles from "./work.module.css";

/** How soon a case is to be signed out, and how well that is kept. */
export function TargetsTab() {
  const { t } = useTranslation();
  const turnaround = useTurnaround();
  return (
    <div className={styles.tab} data-testid="work-targets">
      <Intro text={t("work.targets.intro")} />
      <Waiting of={turnaround} />
      {turnaround.data && <Targets key={hoursOf(turnaround.data)} known={turnaround.data} />}
    </div>
  );
}

function hoursOf(known: Turnarounds): string {
  return known.items.map((each) => each.target_hours).join(" ");
}

type Hours = Readonly<Record<string, number | null>>;

function Targets(props: { readonly known: Turnarounds }) {
  const { t } = useTranslation();
  const { items, days } = props.known;
  const set = useSetTargets();
  const kept: Hours = Object.fromEntries(items.map((each) => [each.kind, each.target_hours]));
  const [hours, setHours] = useState(kept);
  const sound = Object.values(hours).every(isTarget);
  const changed = items.filter(({ kind }) => hours[kind] !== kept[kind]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!sound || changed.length === 0) return;
    const wish: Partial<Record<TargetKind, number>> = {};
    for (const { kind } of changed) wish[kind] = hours[kind] ?? 0;
    set.mutate(wish);
  };
  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th>{t("work.targets.kind")}</th>
              <th>{t("work.targets.within")}</th>
              <th className={styles.number}>{t("work.targets.cases", { count: days })}</th>
              <th className={styles.number}>{t("work.targets.inTime")}</th>
              <th className={styles.number}>{t("work.targets.median")}</th>
              <th className={styles.number}>{t("work.targets.ninth")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((each) => (
              <Target
                key={each.kind}
                known={each}
                hours={hours[each.kind] ?? null}
                onHours={(value) => setHours({ ...hours, [each.kind]: value })}
              />
            ))}
          </tbody>
        </table>
      </div>
      <div className={styles.buttons}>
        <Button
          type="submit"
          disabled={!sound || changed.length === 0}
          loading={set.isPending}
          data-testid="keep-targets"
        >
          {t("work.keep")}
        </Button>
        <Button variant="default" disabled={changed.length === 0} onClick={() => setHours(kept)}>
          {t("work.undo")}
        </Button>
        <span className={styles.state} role="status" data-problem={set.isError}>
          {set.error
            ? sentenceFor(set.error, t)
            : t(changed.length > 0 ? "work.targets.changed" : "work.targets.clock")}
        </span>
      </div>
    </form>
  );
}

function Target(props: {
  readonly known: Turnaround;
  readonly hours: number | null;
  readonly onHours: (hours: number | null) => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { known, hours } = props;
  const kept = inTime(known.cases, known.in_time);
  const span = (of: number | null): string =>
    of === null ? "–" : formatSpan(Math.round(of * 60), language);
  return (
    <tr data-testid={`target-${known.kind}`}>
      <th scope="row">{t(`work.kind.${known.kind}`)}</th>
      <td>
        <NumberInput
          aria-label={t("work.targets.hoursOf", { kind: t(`work.kind.${known.kind}`) })}
          value={hours ?? ""}
          onChange={(value) => props.onHours(typeof value === "number" ? value : null)}
          min={0}
          decimalScale={2}
          decimalSeparator={language === "fr" ? "," : "."}
          allowedDecimalSeparators={[",", "."]}
          thousandSeparator={language === "fr" ? "\u202f" : ","}
          suffix={"\u00a0h"}
          clampBehavior="none"
          hideControls
          className={styles.hours ?? ""}
          error={isTarget(hours) ? null : t("work.targets.bounds")}
          data-testid="target-hours"
        />
      </td>
      <td className={styles.number}>{formatNumber(known.cases, language)}</td>
      <td className={styles.number}>{kept === null ? "–" : `${kept}\u00a0%`}</td>
      <td className={styles.number}>{span(known.median_hours)}</td>
      <td className={styles.number}>{span(known.ninth_decile_hours)}</td>
    </tr>
  );
}

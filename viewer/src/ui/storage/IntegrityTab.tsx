import { Button, Loader } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { FIXITY_ADDRESS, useIntegrity, type Integrity } from "../../api/integrity";
import type { Session } from "../../api/types";
import { isTooSlow, soundnessOf } from "../../core/integrity";
import { formatBytes } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { Notice } from "../shell/Notice";
import { IncidentsSection } from "./IncidentsSection";
import styles from "./IntegrityTab.module.css";

/** Whether what is stored is what was written, how lately that was proved, and what was found. */
export function IntegrityTab(props: { readonly session: Session }) {
  const { t } = useTranslation();
  const integrity = useIntegrity();
  if (integrity.isPending) return <Loader color="dark.2" size="sm" className={styles.waiting} />;
  if (!integrity.data) {
    return <Notice error={integrity.error} onRetry={() => void integrity.refetch()} />;
  }
  return (
    <div className={styles.tab} data-testid="integrity" data-open={integrity.data.open}>
      <dl className={styles.headlines}>
        <Soundness integrity={integrity.data} />
        <Verified integrity={integrity.data} />
        <SecondCopy integrity={integrity.data} />
        <Pace integrity={integrity.data} />
      </dl>
      <IncidentsSection mayChange={props.session.permissions.includes("change_storage")} />
      <section>
        <h2 className={styles.heading}>{t("integrity.report")}</h2>
        <p className={styles.hint}>{t("integrity.reportHint")}</p>
        <Button component="a" href={FIXITY_ADDRESS} download variant="default" size="xs">
          {t("integrity.csv")}
        </Button>
      </section>
    </div>
  );
}

function Headline(props: {
  readonly title: string;
  readonly value: string;
  readonly tone?: "trouble" | "failed" | "done" | undefined;
  readonly children: ReactNode;
}) {
  return (
    <div className={styles.headline} data-tone={props.tone}>
      <dt>{props.title}</dt>
      <dd className={styles.value}>{props.value}</dd>
      <dd className={styles.about}>{props.children}</dd>
    </div>
  );
}

function Soundness({ integrity }: { readonly integrity: Integrity }) {
  const { t } = useTranslation();
  const soundness = soundnessOf(integrity);
  const tone = { damaged: "failed", unproved: undefined, sound: "done", empty: undefined } as const;
  return (
    <Headline
      title={t("integrity.stored")}
      value={
        soundness === "damaged"
          ? t("integrity.damaged", { count: integrity.open })
          : t(`integrity.${soundness}`)
      }
      tone={tone[soundness]}
    >
      {t("integrity.repairedSoFar", { count: integrity.repaired })}
      {integrity.accepted > 0 && ` ${t("integrity.acceptedSoFar", { count: integrity.accepted })}`}
    </Headline>
  );
}

function Verified({ integrity }: { readonly integrity: Integrity }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { oldest_verified_at: oldest, never_verified: never } = integrity;
  return (
    <Headline
      title={t("integrity.oldest")}
      value={(oldest && formatMoment(oldest, language)) ?? t("integrity.notYet")}
    >
      {never > 0
        ? t("integrity.never", { count: never })
        : t("integrity.all", { count: integrity.slides })}
    </Headline>
  );
}

function SecondCopy({ integrity }: { readonly integrity: Integrity }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const number = new Intl.NumberFormat(language);
  if (!integrity.has_second_copy) {
    return (
      <Headline title={t("integrity.second")} value={t("integrity.noSecond")} tone="trouble">
        {t("integrity.noSecondHint")}
      </Headline>
    );
  }
  const copied = integrity.slides - integrity.not_copied;
  return (
    <Headline
      title={t("integrity.second")}
      value={t("integrity.copied", {
        copied: number.format(copied),
        count: integrity.slides,
        slides: number.format(integrity.slides),
      })}
    >
      {integrity.not_copied > 0 ? t("integrity.copying") : t("integrity.allCopied")}
    </Headline>
  );
}

function paceKey(pass: number | null, period: number) {
  if (isTooSlow(pass, period)) return "integrity.tooSlow" as const;
  return pass !== null && pass < 1
    ? ("integrity.withinDay" as const)
    : ("integrity.perWorker" as const);
}

function Pace({ integrity }: { readonly integrity: Integrity }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { pace_mb_per_s: pace, pass_days: pass, period_days: period } = integrity;
  const days = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  if (pace === 0) {
    return (
      <Headline title={t("integrity.pace")} value={t("integrity.byHand")} tone="trouble">
        {t("integrity.byHandHint")}
      </Headline>
    );
  }
  return (
    <Headline
      title={t("integrity.pace")}
      value={t("integrity.every", { count: period, days: days.format(period) })}
      tone={isTooSlow(pass, period) ? "trouble" : undefined}
    >
      {t(paceKey(pass, period), {
        pace: `${formatBytes(pace * 1e6, language)}/s`,
        count: Math.max(1, Math.ceil(pass ?? 1)),
        days: days.format(Math.max(1, Math.ceil(pass ?? 1))),
      })}
    </Headline>
  );
}

import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useLiveEvents } from "../../api/queries";
import { useAskRestore, type SlideTiers, type TierMove } from "../../api/tiers";
import type { Slide } from "../../api/types";
import { durationOf, hoursUntil } from "../../core/tiers";
import { formatPercent } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { CloseIcon, ColdIcon } from "../shell/icons";
import { sentenceFor } from "../shell/problem";
import styles from "./ColdBanner.module.css";

/** What a slide in cold storage says of itself, from its opening until full power is there again. */
export function ColdBanner(props: { readonly slide: Slide }) {
  const { tiers } = props.slide;
  const [dismissed, setDismissed] = useState<string | null>(null);
  // A restore that was followed here, or asked for from here, is told of when it is done.
  const [followed, setFollowed] = useState<string | null>(null);
  const { move } = tiers;
  useEffect(() => {
    if (move && tiers.tier !== "warm") setFollowed(move.id);
  }, [move, tiers.tier]);

  const isAway = tiers.tier !== "warm";
  const isBack = move?.target === "warm" && move.id === followed && move.id !== dismissed;
  return (
    <>
      {(isAway || move?.ended_at === null) && <Live />}
      {isAway && <Away slide={props.slide} tiers={tiers} />}
      {!isAway && isBack && <Back onDismiss={() => setDismissed(move.id)} />}
    </>
  );
}

/** Hears of what changes, as long as something may. */
function Live() {
  useLiveEvents(useLanguage());
  return null;
}

function Away(props: { readonly slide: Slide; readonly tiers: SlideTiers }) {
  const { t } = useTranslation();
  const { slide, tiers } = props;
  const ask = useAskRestore(slide.id);
  const duration = useDuration();
  const restore = tiers.move?.target === "warm" ? tiers.move : null;
  const onItsWay = tiers.tier === "restoring" && restore !== null && restore.ended_at === null;
  const thawing = restore?.state === "thawing";
  const failed = restore?.state === "failed";

  return (
    <div className={styles.banner} role="status" data-testid="cold-banner" data-tier={tiers.tier}>
      <ColdIcon />
      <div className={styles.words}>
        <strong>{t(onItsWay ? "cold.onItsWay" : failed ? "cold.failed" : "cold.title")}</strong>
        {onItsWay && thawing ? (
          <Thawing move={restore} />
        ) : onItsWay ? (
          <Progress move={restore} />
        ) : (
          <span>
            {tiers.restore_hours === null
              ? t("cold.noStore")
              : t("cold.about", { duration: duration(tiers.restore_hours) })}
          </span>
        )}
        {ask.isError && <span className={styles.problem}>{sentenceFor(ask.error, t)}</span>}
      </div>
      {!onItsWay && tiers.restore_hours !== null && (
        <button
          type="button"
          className={styles.ask}
          disabled={ask.isPending}
          onClick={() => ask.mutate()}
          data-testid="ask-restore"
        >
          {t(failed ? "cold.askAgain" : "cold.ask")}
        </button>
      )}
    </div>
  );
}

/** An archive gives nothing back for hours: moments are told, and no progress. */
function Thawing(props: { readonly move: TierMove }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { move } = props;
  const now = useNow();
  const who = useWho(move);
  const asked = move.archive_asked_at && formatMoment(move.archive_asked_at, language);
  const expected = move.expected_at && formatMoment(move.expected_at, language);
  const late = move.expected_at !== null && Date.parse(move.expected_at) <= now;
  return (
    <span data-testid="restore-thawing">
      {asked && t("cold.archiveAsked", { moment: asked })}{" "}
      {late ? t("cold.late") : expected && t("cold.archiveExpected", { moment: expected })}
      {who && <> {who}</>}
    </span>
  );
}

/** Who asked for it; null for nobody. */
function useWho(move: TierMove): string | null {
  const { t } = useTranslation();
  if (move.asked_by_me) return t("cold.askedByYou");
  return move.asked_by ? t("cold.askedBy", { name: move.asked_by }) : null;
}

function Progress(props: { readonly move: TierMove }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const duration = useDuration();
  const { move } = props;
  const now = useNow();
  const who = useWho(move);
  const late = move.expected_at !== null && Date.parse(move.expected_at) <= now;
  return (
    <>
      <span data-testid="restore-expected">
        {move.expected_at === null || late
          ? t(late ? "cold.late" : "cold.soon")
          : t("cold.expected", { duration: duration(hoursUntil(move.expected_at, now)) })}
        {who && <> {who}</>}
      </span>
      <span className={styles.progress}>
        <progress max={1} value={move.progress} aria-label={t("cold.onItsWay")} />
        {formatPercent(move.progress, language)}
      </span>
    </>
  );
}

function Back(props: { readonly onDismiss: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.banner} role="status" data-testid="cold-banner" data-tier="warm">
      <div className={styles.words}>
        <strong>{t("cold.back")}</strong>
      </div>
      <button
        type="button"
        className={styles.close}
        aria-label={t("panel.close")}
        onClick={props.onDismiss}
      >
        <CloseIcon />
      </button>
    </div>
  );
}

/** "12 hours", "20 minutes". */
function useDuration(): (hours: number) => string {
  const { t } = useTranslation();
  return (hours) => {
    const { unit, count } = durationOf(hours);
    return t(`cold.${unit}`, { count });
  };
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 15_000);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}

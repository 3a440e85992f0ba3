import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Glass, Scan } from "../../api/cases";
import { imageAddress } from "../../api/client";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import { RescanIcon, WarningIcon } from "../shell/icons";
import { VerdictIcon } from "../shell/VerdictIcon";
import styles from "./GlassCard.module.css";

/** A glass slide: its picture where it has one, and what is still to come where not. */
export function GlassCard(props: {
  readonly glass: Glass;
  readonly onRescan: ((glass: Glass) => void) | null;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { glass, onRescan } = props;
  const current = glass.scans.find((scan) => scan.current) ?? glass.scans[0] ?? null;
  const others = glass.scans.filter((scan) => scan !== current);
  return (
    <article
      className={styles.card}
      data-scanned={current !== null}
      data-cancelled={glass.cancelled}
      data-testid="glass"
      data-glass={glass.identifier}
    >
      {current ? (
        <a
          className={styles.glass}
          href={slidePath(current.slide_id)}
          onClick={followLink}
          aria-label={t("case.openSlide", { name: glass.identifier })}
          data-testid="open-slide"
        >
          <Thumbnail scan={current} />
        </a>
      ) : (
        <div className={styles.expected}>
          {t(
            glass.cancelled
              ? "case.cancelled"
              : glass.to_be_scanned
                ? "case.notScanned"
                : "case.notToBeScanned",
          )}
        </div>
      )}
      <div className={styles.text}>
        <div className={styles.stain}>{glass.stain ?? t("case.unstained")}</div>
        <div className={styles.name} title={glass.identifier}>
          {glass.identifier}
        </div>
        {current && (
          <div className={styles.when}>
            {formatMoment(current.scanned_at ?? current.published_at, language)}
          </div>
        )}
        {others.length > 0 && (
          <div className={styles.others}>
            {t("case.otherScans", { count: others.length })}
            {others.map((scan, index) => (
              <a key={scan.slide_id} href={slidePath(scan.slide_id)} onClick={followLink}>
                {t("case.scanNumber", { number: others.length - index })}
              </a>
            ))}
          </div>
        )}
        {glass.rescan_asked_at && (
          <p className={styles.rescan} data-testid="rescan-asked">
            <RescanIcon />
            <span>{t("case.rescanAsked", { reason: glass.rescan_reason ?? "" })}</span>
          </p>
        )}
        {current?.quality_verdict && current.quality_verdict !== "pass" && (
          <p className={styles.verdict} data-verdict={current.quality_verdict}>
            <VerdictIcon verdict={current.quality_verdict} />
            {t(`quality.${current.quality_verdict}`)}
          </p>
        )}
        {glass.cancelled && current && (
          <p className={styles.verdict}>
            <WarningIcon />
            {t("case.cancelled")}
          </p>
        )}
        {onRescan && current && !glass.rescan_asked_at && !glass.cancelled && (
          <button
            type="button"
            className={styles.ask}
            onClick={() => onRescan(glass)}
            data-testid="ask-rescan"
          >
            <RescanIcon />
            {t("case.rescan")}
          </button>
        )}
      </div>
    </article>
  );
}

function Thumbnail(props: { readonly scan: Scan }) {
  const { t } = useTranslation();
  const [missing, setMissing] = useState(false);
  if (missing) return <span className={styles.missing}>{t("card.noThumbnail")}</span>;
  return (
    <img
      src={imageAddress(props.scan.slide_id, "thumbnail")}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setMissing(true)}
    />
  );
}

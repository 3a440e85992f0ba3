import { memo, useState } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import type { AssociatedImage, SlideSummary } from "../../api/types";
import { mppOf, nativeMagnification } from "../../core/magnification";
import { parseScene } from "../../core/scene";
import { formatArea, formatBytes, formatMagnification } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import { DamageIcon } from "../shell/icons";
import { VerdictIcon } from "../shell/VerdictIcon";
import styles from "./SlideCard.module.css";

/** A slide as it lies in a tray: the label at one end of the glass, the tissue on the rest. */
export const SlideCard = memo(function SlideCard(props: {
  readonly slide: SlideSummary;
  readonly tabbable: boolean;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { slide } = props;
  const spacing = slide.pixel_spacing_mm;
  const mppUm = mppOf(spacing);
  const scene = slide.scene && parseScene(slide.scene);
  const sceneText = scene ? t("card.scene", { index: scene.index, count: scene.count }) : slide.scene;
  // A slide that nothing is wrong with says nothing.
  const verdict = slide.quality_verdict === "pass" ? null : slide.quality_verdict;
  const name = [
    t("card.open", { name: slide.file_name }),
    ...(sceneText ? [sceneText] : []),
    ...(verdict ? [t(`quality.${verdict}`)] : []),
    ...(slide.damaged ? [t("card.damagedHint")] : []),
  ].join(", ");
  const facts: string[] = sceneText ? [sceneText] : [];
  if (slide.objective_power !== null) {
    facts.push(formatMagnification(slide.objective_power, language));
  } else if (mppUm !== null) {
    facts.push(formatMagnification(Number(nativeMagnification(mppUm).toPrecision(2)), language));
  }
  facts.push(
    spacing
      ? formatArea(slide.columns * spacing[1], slide.rows * spacing[0], language)
      : t("card.noScale"),
    formatBytes(slide.size_bytes, language),
  );
  if (slide.levels.some((level) => level.tier !== "warm")) facts.push(t("card.cold"));
  const scanned = slide.scanned_at && formatMoment(slide.scanned_at, language);
  const when = scanned
    ? t("card.scanned", { date: scanned })
    : t("card.published", { date: formatMoment(slide.published_at, language) ?? "" });

  return (
    <a
      className={styles.card}
      href={slidePath(slide.id)}
      aria-label={name}
      tabIndex={props.tabbable ? 0 : -1}
      onClick={followLink}
      data-testid="slide-card"
      data-slide={slide.id}
    >
      <div className={styles.glass}>
        <div className={styles.label}>
          <Picture slide={slide} image="label" missing={t("card.noLabel")} />
        </div>
        <div className={styles.tissue}>
          <Picture slide={slide} image="thumbnail" missing={t("card.noThumbnail")} />
        </div>
      </div>
      <div className={styles.text}>
        <div className={styles.head}>
          <div className={styles.name} title={slide.file_name}>
            {slide.file_name}
          </div>
          {slide.damaged && (
            <span
              className={styles.badge}
              data-damaged
              title={t("card.damagedHint")}
              data-testid="damage-badge"
            >
              <DamageIcon />
              {t("card.damaged")}
            </span>
          )}
          {verdict && (
            <span
              className={styles.badge}
              data-verdict={verdict}
              title={t(`quality.${verdict}`)}
              data-testid="quality-badge"
            >
              <VerdictIcon verdict={verdict} />
              {t(`card.${verdict}`)}
            </span>
          )}
        </div>
        <div className={styles.facts}>
          {facts.map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </div>
        <div className={styles.when}>{when}</div>
      </div>
    </a>
  );
});

function Picture(props: {
  readonly slide: SlideSummary;
  readonly image: AssociatedImage;
  readonly missing: string;
}) {
  const { slide, image } = props;
  const [state, setState] = useState<"loading" | "shown" | "missing">("loading");
  if (!slide.associated.includes(image) || state === "missing") {
    return <span className={styles.missing}>{props.missing}</span>;
  }
  return (
    <img
      src={imageAddress(slide.id, image)}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      data-shown={state === "shown"}
      onLoad={() => setState("shown")}
      onError={() => setState("missing")}
    />
  );
}

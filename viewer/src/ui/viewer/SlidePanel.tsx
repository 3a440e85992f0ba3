import { useState } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import type { Slide } from "../../api/types";
import { compressionNames } from "../../core/compression";
import { mppOf } from "../../core/magnification";
import {
  formatArea,
  formatBytes,
  formatMagnification,
  formatPixels,
  formatSpacing,
  type Language,
} from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import styles from "./SlidePanel.module.css";

export type Pictured = "label" | "overview";

export function SlidePanel(props: {
  readonly slide: Slide;
  readonly onEnlarge: (image: Pictured) => void;
}) {
  const { t } = useTranslation();
  const { slide } = props;
  const pictures = (["label", "overview"] as const).filter((image) =>
    slide.associated.includes(image),
  );

  return (
    <aside className={styles.panel} aria-label={t("viewer.panel")} data-testid="slide-panel">
      {pictures.map((image) => (
        <figure key={image} className={styles.figure}>
          <figcaption>{t(`panel.${image}`)}</figcaption>
          <Picture slide={slide} image={image} onEnlarge={() => props.onEnlarge(image)} />
        </figure>
      ))}
      <Facts slide={slide} />
    </aside>
  );
}

function Picture(props: {
  readonly slide: Slide;
  readonly image: Pictured;
  readonly onEnlarge: () => void;
}) {
  const { t } = useTranslation();
  const [missing, setMissing] = useState(false);
  if (missing) return <p className={styles.missing}>{t("panel.imageMissing")}</p>;
  const name = t(`panel.${props.image}`);
  return (
    <button
      type="button"
      className={styles.picture}
      aria-label={t("panel.enlarge", { name })}
      onClick={props.onEnlarge}
      data-image={props.image}
      data-testid={`panel-${props.image}`}
    >
      <img
        src={imageAddress(props.slide.id, props.image)}
        alt={name}
        draggable={false}
        onError={() => setMissing(true)}
      />
    </button>
  );
}

function framesText(slide: Slide, t: ReturnType<typeof useTranslation>["t"]): string {
  if (slide.encoding_note) return slide.encoding_note;
  if (slide.levels.some((level) => level.origin === "re-encoded")) return t("fact.framesReEncoded");
  if (slide.levels.some((level) => level.origin === "built")) return t("fact.framesBuilt");
  return t("fact.framesAsScanned");
}

function Facts(props: { readonly slide: Slide }) {
  const { t } = useTranslation();
  const language: Language = useLanguage();
  const { slide } = props;
  const unknown = t("fact.unknown");
  const spacing = slide.pixel_spacing_mm;
  const mppUm = mppOf(spacing);
  const moment = (iso: string | null): string =>
    (iso && formatMoment(iso, language)) ?? unknown;
  const scanner = [slide.manufacturer, slide.model].filter(Boolean).join(" ");

  const facts: ReadonlyArray<readonly [string, string]> = [
    [t("fact.objective"), slide.objective_power === null ? unknown : formatMagnification(slide.objective_power, language)],
    [t("fact.spacing"), mppUm === null ? unknown : formatSpacing(mppUm, language)],
    [t("fact.size"), spacing ? formatArea(slide.columns * spacing[1], slide.rows * spacing[0], language) : unknown],
    [t("fact.pixels"), formatPixels(slide.columns, slide.rows, language)],
    [t("fact.frames"), framesText(slide, t)],
    [t("fact.compression"), compressionNames(slide.levels).join(", ")],
    [t("fact.levels"), String(slide.levels.length)],
    [t("fact.colour"), slide.icc ? t("fact.icc") : t("fact.noIcc")],
    [t("fact.format"), slide.format],
    [t("fact.bytes"), formatBytes(slide.size_bytes, language)],
    [t("fact.scanned"), moment(slide.scanned_at)],
    [t("fact.received"), moment(slide.published_at)],
    [t("fact.scanner"), scanner || unknown],
    ...(slide.serial_number ? [[t("fact.serial"), slide.serial_number] as const] : []),
  ];
  const identifiers: ReadonlyArray<readonly [string, string]> = [
    [t("fact.study"), slide.study_uid],
    [t("fact.series"), slide.series_uid],
    [t("fact.sha256"), slide.source_sha256],
  ];
  const metadata = Object.entries(slide.metadata);

  return (
    <>
      <h2 className={styles.heading}>{t("panel.facts")}</h2>
      <dl className={styles.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd data-unknown={value === unknown}>{value}</dd>
          </div>
        ))}
      </dl>
      <LongFacts title={t("fact.identifiers")} facts={identifiers} />
      {metadata.length > 0 && <LongFacts title={t("fact.metadata")} facts={metadata} />}
    </>
  );
}

/** Facts of any length, folded away until asked for. */
function LongFacts(props: {
  readonly title: string;
  readonly facts: ReadonlyArray<readonly [string, string]>;
}) {
  return (
    <details className={styles.details}>
      <summary>{props.title}</summary>
      <dl>
        {props.facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

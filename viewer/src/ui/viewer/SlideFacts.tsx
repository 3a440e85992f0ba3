import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import type { Slide } from "../../api/types";
import { compressionNames } from "../../core/compression";
import { mppOf } from "../../core/magnification";
import { parseScene } from "../../core/scene";
import {
  formatArea,
  formatBytes,
  formatHeight,
  formatMagnification,
  formatPixels,
  formatSpacing,
  type Language,
} from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import styles from "./SlidePanel.module.css";

type Translate = TFunction;

function framesText(slide: Slide, t: Translate): string {
  if (slide.encoding_note) return slide.encoding_note;
  if (slide.levels.some((level) => level.origin === "re-encoded")) return t("fact.framesReEncoded");
  if (slide.levels.some((level) => level.origin === "built")) return t("fact.framesBuilt");
  return t("fact.framesAsScanned");
}

/** "image 2 of 3 of the file", or the name that the file gives it. */
function sceneText(name: string, t: Translate): string {
  const scene = parseScene(name);
  return scene ? t("fact.sceneOf", { index: scene.index, count: scene.count }) : name;
}

function coloursText(slide: Slide, t: Translate): string {
  if (slide.samples === 1) {
    return t("fact.light", { count: slide.optical_paths.length, bits: slide.bits });
  }
  return slide.icc ? t("fact.icc") : t("fact.noIcc");
}

function planesText(heightsUm: readonly number[], language: Language, t: Translate): string {
  return t("fact.planesText", {
    number: heightsUm.length,
    lowest: formatHeight(heightsUm[0] ?? 0, language),
    highest: formatHeight(heightsUm.at(-1) ?? 0, language),
  });
}

/** The slide in figures. */
export function SlideFacts(props: { readonly slide: Slide }) {
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
    ...(slide.scene === null ? [] : [[t("fact.scene"), sceneText(slide.scene, t)] as const]),
    [t("fact.objective"), slide.objective_power === null ? unknown : formatMagnification(slide.objective_power, language)],
    [t("fact.spacing"), mppUm === null ? unknown : formatSpacing(mppUm, language)],
    [t("fact.size"), spacing ? formatArea(slide.columns * spacing[1], slide.rows * spacing[0], language) : unknown],
    [t("fact.pixels"), formatPixels(slide.columns, slide.rows, language)],
    [t("fact.frames"), framesText(slide, t)],
    [t("fact.compression"), compressionNames(slide.levels).join(", ")],
    [t("fact.levels"), String(slide.levels.length)],
    [t("fact.colour"), coloursText(slide, t)],
    ...(slide.focal_planes_um.length > 1
      ? [[t("fact.planes"), planesText(slide.focal_planes_um, language, t)] as const]
      : []),
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

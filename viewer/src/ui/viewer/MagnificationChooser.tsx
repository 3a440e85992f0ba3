import { useTranslation } from "react-i18next";

import { isAtPreset, type Preset } from "../../core/magnification";
import { formatMagnification, formatPixelRatio, type Language } from "../../core/text";
import type { View } from "../../osd/slideViewer";
import { ZoomInIcon, ZoomOutIcon } from "../shell/icons";
import styles from "./MagnificationChooser.module.css";

interface MagnificationChooserProps {
  readonly presets: readonly Preset[];
  readonly view: View;
  /** Null when the slide's scale is not known. */
  readonly magnification: number | null;
  readonly language: Language;
  readonly onZoom: (zoom: number) => void;
  readonly onZoomBy: (factor: number) => void;
  readonly onHome: () => void;
}

export function presetText(preset: Preset, language: Language): string {
  if (preset.kind === "native") return "1:1";
  if (preset.kind === "ratio") return `1:${preset.value}`;
  return formatMagnification(preset.value, language);
}

/** The turret: what the magnification is, and the objectives one may turn to. */
export function MagnificationChooser(props: MagnificationChooserProps) {
  const { t } = useTranslation();
  const { presets, view, magnification, language } = props;
  const reading =
    magnification === null
      ? formatPixelRatio(view.zoom, language)
      : formatMagnification(magnification, language);

  const nameOf = (preset: Preset): string => {
    const value = presetText(preset, language);
    if (preset.kind === "native") return t("viewer.presetNative");
    if (preset.kind === "ratio") return t("viewer.presetRatio", { value });
    const name = t("viewer.presetObjective", { value });
    return preset.beyondScan ? `${name}, ${t("viewer.beyondScan")}` : name;
  };

  return (
    <div className={styles.chooser} role="group" aria-label={t("viewer.magnification")}>
      <output
        className={styles.reading}
        aria-label={t("viewer.current", { value: reading })}
        data-testid="magnification"
      >
        {reading}
      </output>
      <button
        type="button"
        className={styles.step}
        aria-label={t("viewer.zoomOut")}
        title={t("viewer.zoomOut")}
        onClick={() => props.onZoomBy(1 / 1.5)}
      >
        <ZoomOutIcon />
      </button>
      <div className={styles.presets}>
        {presets.map((preset) => (
          <button
            key={preset.key}
            type="button"
            className={styles.preset}
            aria-pressed={isAtPreset(preset, view.zoom)}
            aria-label={nameOf(preset)}
            title={`${nameOf(preset)} (${preset.key})`}
            data-beyond={preset.beyondScan}
            data-testid={`preset-${preset.key}`}
            onClick={() => props.onZoom(preset.zoom)}
          >
            {presetText(preset, language)}
          </button>
        ))}
        <button
          type="button"
          className={styles.preset}
          aria-label={t("viewer.home")}
          title={`${t("viewer.home")} (0)`}
          data-testid="preset-0"
          onClick={props.onHome}
        >
          {t("viewer.homeShort")}
        </button>
      </div>
      <button
        type="button"
        className={styles.step}
        aria-label={t("viewer.zoomIn")}
        title={t("viewer.zoomIn")}
        onClick={() => props.onZoomBy(1.5)}
      >
        <ZoomInIcon />
      </button>
    </div>
  );
}

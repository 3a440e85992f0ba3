import { useTranslation } from "react-i18next";

import { formatHeight } from "../../core/text";
import { useLanguage } from "../../i18n";
import { DownIcon, UpIcon } from "../shell/icons";
import styles from "./FocusControl.module.css";

/** The fine drive: which of the scanned heights is in focus. Up is towards the objective. */
export function FocusControl(props: {
  readonly heightsUm: readonly number[];
  readonly plane: number;
  readonly onPlane: (plane: number) => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { heightsUm, plane, onPlane } = props;
  const last = heightsUm.length - 1;
  const height = formatHeight(heightsUm[plane] ?? 0, language);
  const place = t("focus.place", { height, number: plane + 1, count: heightsUm.length });
  return (
    <div className={styles.box} role="group" aria-label={t("focus.title")} data-testid="focus">
      <output className={styles.height} title={place} data-testid="focus-height">
        {height}
      </output>
      <button
        type="button"
        className={styles.step}
        aria-label={t("focus.up")}
        title={`${t("focus.up")} (.)`}
        disabled={plane >= last}
        onClick={() => onPlane(plane + 1)}
        data-testid="focus-up"
      >
        <UpIcon />
      </button>
      <input
        type="range"
        className={styles.slider}
        min={0}
        max={last}
        step={1}
        value={plane}
        aria-label={t("focus.title")}
        aria-valuetext={place}
        aria-orientation="vertical"
        title={t("focus.hint")}
        style={{ "--gaps": Math.min(last, 40) } as React.CSSProperties}
        onChange={(event) => onPlane(Number(event.currentTarget.value))}
        onPointerUp={(event) => event.currentTarget.blur()}
        data-testid="focus-slider"
      />
      <button
        type="button"
        className={styles.step}
        aria-label={t("focus.down")}
        title={`${t("focus.down")} (,)`}
        disabled={plane <= 0}
        onClick={() => onPlane(plane - 1)}
        data-testid="focus-down"
      >
        <DownIcon />
      </button>
      <span className={styles.count} aria-hidden="true">
        {plane + 1}/{heightsUm.length}
      </span>
    </div>
  );
}

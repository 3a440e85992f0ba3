import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";

import { movedWindow, placeOf, sampleAt, SLIDER_STEPS } from "../../core/channels";
import type { Window } from "../../core/look";
import styles from "./ChannelPanel.module.css";

/** Which samples are black and which are full: two ends on one track. */
export function WindowSlider(props: {
  readonly name: string;
  readonly bits: number;
  readonly window: Window;
  readonly disabled: boolean;
  readonly onChange: (window: Window) => void;
  readonly onReset: () => void;
}) {
  const { t } = useTranslation();
  const { name, bits, window, disabled } = props;
  const places = { low: placeOf(window[0], bits), high: placeOf(window[1], bits) };
  const ends = ["low", "high"] as const;
  const style = {
    "--low": places.low / SLIDER_STEPS,
    "--high": places.high / SLIDER_STEPS,
  } as CSSProperties;
  return (
    <div
      className={styles.window}
      style={style}
      title={t("channels.windowHint")}
      onDoubleClick={props.onReset}
    >
      <span className={styles.track} />
      {ends.map((end) => {
        const sample = end === "low" ? window[0] : window[1];
        return (
          <input
            key={end}
            type="range"
            min={0}
            max={SLIDER_STEPS}
            value={places[end]}
            disabled={disabled}
            aria-label={t(`channels.${end}`, { name })}
            aria-valuetext={String(sample)}
            // Where both ends meet at the top, the lower one must be to be had.
            data-front={end === "low" && places.low > SLIDER_STEPS / 2}
            onChange={(event) => {
              const place = Number(event.currentTarget.value);
              props.onChange(movedWindow(window, end, sampleAt(place, bits), bits));
            }}
            onPointerUp={(event) => event.currentTarget.blur()}
            data-testid={`window-${end}`}
          />
        );
      })}
      <span className={styles.sample}>{window[0]}</span>
      <span className={styles.sample} data-end="high">
        {window[1]}
      </span>
    </div>
  );
}

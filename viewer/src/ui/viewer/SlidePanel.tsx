import { useTranslation } from "react-i18next";

import type { Slide } from "../../api/types";
import { HoldSection } from "./HoldSection";
import { LabelSection, type Pictured } from "./LabelSection";
import { QualitySection } from "./QualitySection";
import { SlideFacts } from "./SlideFacts";
import styles from "./SlidePanel.module.css";

/** Everything that is known of the slide beside its pixels. */
export function SlidePanel(props: {
  readonly slide: Slide;
  readonly mapShown: boolean;
  readonly onMap: () => void;
  readonly onEnlarge: (image: Pictured) => void;
}) {
  const { t } = useTranslation();
  const { slide } = props;
  return (
    <aside className={styles.panel} aria-label={t("viewer.panel")} data-testid="slide-panel">
      <LabelSection slide={slide} onEnlarge={props.onEnlarge} />
      {slide.quality && (
        <QualitySection quality={slide.quality} mapShown={props.mapShown} onMap={props.onMap} />
      )}
      <HoldSection slide={slide} />
      <NotKept slide={slide} />
      <SlideFacts slide={slide} />
    </aside>
  );
}

/** What the file held and the slide does not. */
function NotKept(props: { readonly slide: Slide }) {
  const { t } = useTranslation();
  const { not_kept: notKept, left_out: leftOut } = props.slide;
  const thumbnail = leftOut.includes("thumbnail");
  if (notKept.length === 0 && !thumbnail) return null;
  return (
    <section className={styles.notKept} data-testid="not-kept">
      <h2 className={styles.heading}>{t("panel.notKept")}</h2>
      <ul>
        {thumbnail && <li>{t("panel.leftOut.thumbnail")}</li>}
        {notKept.map((sentence) => (
          <li key={sentence} lang="en">
            {sentence}
          </li>
        ))}
      </ul>
    </section>
  );
}

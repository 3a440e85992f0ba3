import { useTranslation } from "react-i18next";

import type { Session, Slide } from "../../api/types";
import { CaseSection } from "./CaseSection";
import { HoldSection } from "./HoldSection";
import { LabelSection, type Pictured } from "./LabelSection";
import { QualitySection } from "./QualitySection";
import { SlideFacts } from "./SlideFacts";
import styles from "./SlidePanel.module.css";

/** Everything that is known of the slide beside its pixels. */
export function SlidePanel(props: {
  readonly slide: Slide;
  readonly session: Session;
  readonly mapShown: boolean;
  readonly onMap: () => void;
  readonly onEnlarge: (image: Pictured) => void;
}) {
  const { t } = useTranslation();
  const { slide } = props;
  return (
    <aside className={styles.panel} aria-label={t("viewer.panel")} data-testid="slide-panel">
      <LabelSection slide={slide} onEnlarge={props.onEnlarge} />
      <CaseSection slide={slide} session={props.session} />
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
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </section>
  );
}

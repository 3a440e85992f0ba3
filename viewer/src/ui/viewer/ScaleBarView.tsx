import { useEffect, useRef, type RefObject } from "react";
import { useTranslation } from "react-i18next";

import type { Slide } from "../../api/types";
import { chooseScaleBar, spacingAcrossScreen } from "../../core/scaleBar";
import { formatLength, type Language } from "../../core/text";
import { useLanguage } from "../../i18n";
import type { SlideViewer, View } from "../../osd/slideViewer";
import styles from "./ScaleBarView.module.css";

const MAX_WIDTH = 190;

export function ScaleBarView(props: {
  readonly slide: Slide;
  readonly view: View;
  readonly viewer: SlideViewer;
  readonly field: RefObject<HTMLElement | null>;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const spacing = props.slide.pixel_spacing_mm;
  const bar =
    spacing &&
    chooseScaleBar(spacingAcrossScreen(spacing, props.view.rotation) / props.view.cssZoom, MAX_WIDTH);
  if (!spacing || !bar) {
    return (
      <div className={styles.box} title={t("viewer.noScaleHint")} data-testid="no-scale">
        <span className={styles.none}>{t("viewer.noScale")}</span>
      </div>
    );
  }
  const length = formatLength(bar.lengthUm, language);
  return (
    <div className={styles.box}>
      <div
        role="img"
        aria-label={t("viewer.scaleBar", { value: length })}
        data-testid="scale-bar"
        data-length-um={bar.lengthUm}
      >
        <div className={styles.length}>{length}</div>
        <div className={styles.bar} style={{ width: bar.width }} />
      </div>
      <PointerPosition {...props} spacing={spacing} language={language} />
    </div>
  );
}

/** Written straight into the page: sixty positions a second are no business of React's. */
function PointerPosition(props: {
  readonly viewer: SlideViewer;
  readonly field: RefObject<HTMLElement | null>;
  readonly spacing: readonly [number, number];
  readonly language: Language;
}) {
  const { t } = useTranslation();
  const { viewer, field, spacing, language } = props;
  const output = useRef<HTMLOutputElement>(null);

  useEffect(() => {
    const element = field.current;
    if (!element) return undefined;
    const format = new Intl.NumberFormat(language, {
      minimumFractionDigits: 3,
      maximumFractionDigits: 3,
    });
    const show = (text: string): void => {
      if (output.current) output.current.textContent = text;
    };
    const onMove = (event: PointerEvent): void => {
      const box = element.getBoundingClientRect();
      const position = viewer.positionAt(event.clientX - box.left, event.clientY - box.top);
      const across = format.format(position.x * spacing[1]);
      const down = format.format(position.y * spacing[0]);
      show(`x ${across}  y ${down} mm`);
    };
    const onLeave = (): void => show("");
    element.addEventListener("pointermove", onMove, { passive: true });
    element.addEventListener("pointerleave", onLeave);
    return () => {
      element.removeEventListener("pointermove", onMove);
      element.removeEventListener("pointerleave", onLeave);
    };
  }, [viewer, field, spacing, language]);

  return (
    <output
      ref={output}
      className={styles.position}
      aria-label={t("viewer.position")}
      aria-live="off"
      data-testid="position"
    />
  );
}

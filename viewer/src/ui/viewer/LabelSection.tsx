import { useState } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import type { Slide } from "../../api/types";
import { codeText } from "../shell/codeText";
import styles from "./SlidePanel.module.css";

export type Pictured = "label" | "overview";

/** The label as a picture, and what was read from it; the overview. Each says when it is not to be had. */
export function LabelSection(props: {
  readonly slide: Slide;
  readonly onEnlarge: (image: Pictured) => void;
}) {
  const { t } = useTranslation();
  const { slide } = props;
  const read = slide.barcodes.length > 0 || Boolean(slide.label_text?.trim());
  const shown = (["label", "overview"] as const).filter(
    (image) =>
      slide.associated.includes(image) ||
      slide.left_out.includes(image) ||
      (image === "label" && read),
  );
  return shown.map((image) => (
    <figure key={image} className={styles.figure}>
      <figcaption>{t(`panel.${image}`)}</figcaption>
      {slide.associated.includes(image) ? (
        <Picture slide={slide} image={image} onEnlarge={() => props.onEnlarge(image)} />
      ) : (
        slide.left_out.includes(image) && (
          <p className={styles.missing} data-testid={`left-out-${image}`}>
            {t(`panel.leftOut.${image}`)}
          </p>
        )
      )}
      {image === "label" && read && <WhatItReads slide={slide} />}
    </figure>
  ));
}

function WhatItReads(props: { readonly slide: Slide }) {
  const { t } = useTranslation();
  const { barcodes, label_text: text } = props.slide;
  return (
    <>
      <dl className={styles.read}>
        {barcodes.length > 0 && (
          <div>
            <dt>{t("panel.barcodes", { count: barcodes.length })}</dt>
            {barcodes.map((barcode, at) => (
              <dd key={at} className={styles.barcode} data-testid="barcode">
                {codeText(barcode, t)}
              </dd>
            ))}
          </div>
        )}
        {text?.trim() && (
          <div>
            <dt>{t("panel.labelText")}</dt>
            <dd className={styles.labelText} data-testid="label-text">
              {text.trim()}
            </dd>
          </div>
        )}
      </dl>
      {props.slide.barcode_contradicts && (
        <p className={styles.contradiction} role="alert" data-testid="barcode-contradicts">
          {t("panel.barcodeContradicts", {
            file: codeText(barcodes[0] ?? null, t),
            label: barcodes.slice(1).map((each) => codeText(each, t)).join(", "),
          })}
        </p>
      )}
    </>
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

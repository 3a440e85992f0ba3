import { useState, type KeyboardEvent, type PointerEvent, type ReactNode, type WheelEvent } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import type { Unidentified } from "../../api/identification";
import { moveBy, scaleBy, turnBy, UPRIGHT } from "../../core/turning";
import { followLink, slidePath } from "../route";
import { codeText } from "../shell/codeText";
import {
  FullScreenIcon,
  RotateLeftIcon,
  RotateRightIcon,
  ZoomInIcon,
  ZoomOutIcon,
} from "../shell/icons";
import styles from "./LabelStage.module.css";

const STEP = 1.5;

/** The label as large as there is room, turned and enlarged at will, and what was read from it. */
export function LabelStage(props: { readonly shown: Unidentified }) {
  const { t } = useTranslation();
  const { shown } = props;
  const [picture, setPicture] = useState<"label" | "overview">("label");
  return (
    <section className={styles.stage}>
      <header className={styles.head}>
        <div className={styles.choice} role="group" aria-label={t("identify.picture")}>
          {(["label", "overview"] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={picture === each}
              onClick={() => setPicture(each)}
            >
              {t(`panel.${each}`)}
            </button>
          ))}
        </div>
        <a href={slidePath(shown.slide_id)} onClick={followLink} data-testid="open-unidentified">
          {t("identify.openSlide")}
        </a>
      </header>
      <Picture key={picture} slide={shown.slide_id} picture={picture} />
      <dl className={styles.read}>
        <div>
          <dt>{t("identify.read", { count: Math.max(1, shown.codes.length) })}</dt>
          {shown.codes.length === 0 && <dd className={styles.none}>{t("identify.nothingRead")}</dd>}
          {shown.codes.map((code, at) => (
            <dd key={at} className={styles.code} data-testid="code-read">
              {codeText(code, t)}
            </dd>
          ))}
        </div>
        <div>
          <dt>{t("identify.file")}</dt>
          <dd>{shown.file_name}</dd>
        </div>
      </dl>
      <p className={styles.reason} role="status">
        {t(`identify.why.${shown.reason}`)}
      </p>
    </section>
  );
}

function Picture(props: { readonly slide: string; readonly picture: "label" | "overview" }) {
  const { t } = useTranslation();
  const [view, setView] = useState(UPRIGHT);
  const [missing, setMissing] = useState(false);
  const frame = (element: Element): [number, number] => [element.clientWidth, element.clientHeight];

  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = {
      r: () => setView((known) => turnBy(known, 90)),
      R: () => setView((known) => turnBy(known, -90)),
      "+": () => setView((known) => scaleBy(known, STEP)),
      "-": () => setView((known) => scaleBy(known, 1 / STEP)),
      "0": () => setView(UPRIGHT),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const onDrag = (event: PointerEvent): void => {
    if (event.buttons !== 1) return;
    const [width, height] = frame(event.currentTarget);
    setView((known) => moveBy(known, event.movementX, event.movementY, width, height));
  };
  const onWheel = (event: WheelEvent): void => {
    setView((known) => scaleBy(known, event.deltaY < 0 ? 1.2 : 1 / 1.2));
  };

  return (
    <div className={styles.picture}>
      <div
        className={styles.frame}
        role="application"
        tabIndex={0}
        aria-label={t("identify.stage")}
        onKeyDown={onKey}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onDrag}
        onWheel={onWheel}
        data-testid="label-stage"
        data-degrees={view.degrees}
      >
        {missing ? (
          <p className={styles.missing}>{t("panel.imageMissing")}</p>
        ) : (
          <div
            className={styles.turned}
            style={{
              transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale}) rotate(${view.degrees}deg)`,
            }}
            data-quarter={view.degrees % 180 !== 0}
          >
            <img
              src={imageAddress(props.slide, props.picture)}
              alt={t(`panel.${props.picture}`)}
              draggable={false}
              onError={() => setMissing(true)}
            />
          </div>
        )}
      </div>
      {!missing && (
        <div className={styles.tools}>
          <Tool name={t("viewer.rotateLeft")} act={() => setView(turnBy(view, -90))}>
            <RotateLeftIcon />
          </Tool>
          <Tool name={t("viewer.rotateRight")} act={() => setView(turnBy(view, 90))}>
            <RotateRightIcon />
          </Tool>
          <Tool name={t("identify.zoomOut")} act={() => setView(scaleBy(view, 1 / STEP))}>
            <ZoomOutIcon />
          </Tool>
          <Tool name={t("identify.zoomIn")} act={() => setView(scaleBy(view, STEP))}>
            <ZoomInIcon />
          </Tool>
          <Tool name={t("identify.upright")} act={() => setView(UPRIGHT)}>
            <FullScreenIcon />
          </Tool>
        </div>
      )}
    </div>
  );
}

function Tool(props: {
  readonly name: string;
  readonly act: () => void;
  readonly children: ReactNode;
}) {
  return (
    <button type="button" aria-label={props.name} title={props.name} onClick={props.act}>
      {props.children}
    </button>
  );
}

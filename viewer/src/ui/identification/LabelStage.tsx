import { useState, type KeyboardEvent, type PointerEvent, type ReactNode, type WheelEvent } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import type { Reason } from "../../api/identification";
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

interface Labelled {
  readonly slide_id: string;
  readonly file_name: string;
  readonly codes: readonly (string | null)[];
  readonly has_label: boolean;
  readonly has_overview: boolean;
  /** Why it has no glass; absent of one that has. */
  readonly reason?: Reason;
  /** The scanner read the first code, and the picture shows the others. */
  readonly first_is_scanners?: boolean;
}

/** The label as large as there is room, turned and enlarged at will, and what was read from it. */
export function LabelStage(props: { readonly shown: Labelled }) {
  const { t } = useTranslation();
  const { shown } = props;
  const there = { label: shown.has_label, overview: shown.has_overview };
  // Without a label's picture, the overview may still show the label.
  const first = there.overview && !there.label ? "overview" : "label";
  const [picture, setPicture] = useState<"label" | "overview">(first);
  return (
    <section className={styles.stage}>
      <header className={styles.head}>
        <div className={styles.choice} role="group" aria-label={t("identify.picture")}>
          {(["label", "overview"] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={picture === each}
              disabled={!there[each]}
              title={there[each] ? undefined : t(`identify.without.${each}`)}
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
      <Picture
        key={picture}
        slide={shown.slide_id}
        picture={picture}
        there={there[picture]}
      />
      <dl className={styles.read}>
        {shown.first_is_scanners && shown.codes.length > 1 ? (
          <>
            <Codes title={t("identify.readByScanner")} codes={shown.codes.slice(0, 1)} />
            <Codes title={t("identify.readOnPicture")} codes={shown.codes.slice(1)} />
          </>
        ) : (
          <Codes
            title={t("identify.read", { count: Math.max(1, shown.codes.length) })}
            codes={shown.codes}
          />
        )}
        <div>
          <dt>{t("identify.file")}</dt>
          <dd>{shown.file_name}</dd>
        </div>
      </dl>
      {shown.reason && (
        <p className={styles.reason} role="status">
          {t(`identify.why.${shown.reason}`)}
        </p>
      )}
    </section>
  );
}

function Codes(props: { readonly title: string; readonly codes: readonly (string | null)[] }) {
  const { t } = useTranslation();
  return (
    <div>
      <dt>{props.title}</dt>
      {props.codes.length === 0 && <dd className={styles.none}>{t("identify.nothingRead")}</dd>}
      {props.codes.map((code, at) => (
        <dd key={at} className={styles.code} data-testid="code-read">
          {codeText(code, t)}
        </dd>
      ))}
    </div>
  );
}

function Picture(props: {
  readonly slide: string;
  readonly picture: "label" | "overview";
  readonly there: boolean;
}) {
  const { t } = useTranslation();
  const [view, setView] = useState(UPRIGHT);
  const [missing, setMissing] = useState(!props.there);
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

import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { useTranslation } from "react-i18next";

import type { Session, Slide } from "../../api/types";
import { magnificationAt, mppOf, presetsFor } from "../../core/magnification";
import { pyramidOf } from "../../core/pyramid";
import { useLanguage } from "../../i18n";
import { WarningIcon } from "../shell/icons";
import { CaseStrip } from "./CaseStrip";
import { ChannelPanel } from "./ChannelPanel";
import { ColdBanner } from "./ColdBanner";
import { DamageBanner } from "./DamageBanner";
import { FocusControl } from "./FocusControl";
import { FocusLegend } from "./FocusLegend";
import { HelpDialogue } from "./HelpDialogue";
import type { Pictured } from "./LabelSection";
import { MagnificationChooser } from "./MagnificationChooser";
import { PictureDialogue } from "./PictureDialogue";
import { ScaleBarView } from "./ScaleBarView";
import { SlideMap } from "./SlideMap";
import { SlidePanel } from "./SlidePanel";
import styles from "./Stage.module.css";
import { useFocusMap } from "./useFocusMap";
import { useFocusWheel } from "./useFocusWheel";
import { useKeys } from "./useKeys";
import { useLook, useShownLook } from "./useLook";
import { useSlideViewer } from "./useSlideViewer";
import { ViewerBar } from "./ViewerBar";

const PANEL_KEY = "sgi.panel";
const CHANNELS_KEY = "sgi.channels";

/** The slide with its instruments around it. */
export function Stage(props: { readonly slide: Slide; readonly session: Session }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { slide } = props;
  const pyramid = useMemo(() => pyramidOf(slide.levels), [slide.levels]);
  const mppUm = mppOf(slide.pixel_spacing_mm);
  const presets = useMemo(() => presetsFor(mppUm), [mppUm]);
  const controls = useLook(slide);
  const { element, viewer, view } = useSlideViewer(slide, pyramid, mppUm, controls.look);
  const screen = useRef<HTMLDivElement>(null);
  const fullScreen = useFullScreen(screen);
  const [panelOpen, togglePanel] = useStoredToggle(PANEL_KEY, true);
  const [channelsOpen, toggleChannels] = useStoredToggle(CHANNELS_KEY, true);
  const [mapWanted, setMapWanted] = useState(false);
  const [helpOpen, setHelpOpen] = useState(false);
  const [enlarged, setEnlarged] = useState<Pictured | null>(null);

  const hasChannels = controls.tinted || controls.channels.length > 1;
  const hasPlanes = controls.planeCount > 1;
  const hasFocusMap = Boolean(slide.quality?.heat_map);
  const mapShown = mapWanted && hasFocusMap;
  const toggleMap = (): void => setMapWanted((wanted) => !wanted);
  const focusMap = useFocusMap(viewer, slide, mapShown);
  useShownLook(viewer, controls);
  useFocusWheel(element, hasPlanes, controls.stepPlane);
  useKeys(viewer, presets, {
    toggleFullScreen: fullScreen.toggle,
    togglePanel,
    toggleChannels,
    toggleFocusMap: toggleMap,
    stepFocus: controls.stepPlane,
    toggleHelp: () => setHelpOpen((open) => !open),
  });

  const magnification =
    view && mppUm !== null ? Number(magnificationAt(mppUm, view.zoom).toPrecision(4)) : undefined;

  return (
    <div
      ref={screen}
      className={styles.screen}
      data-testid="viewer"
      data-ready={view?.ready ?? false}
      data-magnification={magnification}
      data-zoom={view ? Number(view.zoom.toPrecision(5)) : undefined}
      data-rotation={view ? Math.round(view.rotation * 10) / 10 : undefined}
      data-mirrored={view?.mirrored}
      data-plane={view?.look?.plane}
      data-layers={view?.look?.layers.length}
      data-failures={view?.failures ?? 0}
    >
      <ViewerBar
        slide={slide}
        viewer={viewer}
        view={view}
        panelOpen={panelOpen}
        fullScreen={fullScreen.active}
        channelsOpen={hasChannels ? channelsOpen : null}
        focusMapShown={hasFocusMap ? mapShown : null}
        onChannels={toggleChannels}
        onFocusMap={toggleMap}
        onPanel={togglePanel}
        onFullScreen={fullScreen.toggle}
        onHelp={() => setHelpOpen(true)}
      />
      <CaseStrip slide={slide} session={props.session} />
      <div className={styles.body}>
        <div className={styles.field}>
          <div
            ref={element}
            className={styles.canvas}
            data-dark={controls.tinted}
            role="application"
            aria-label={t("viewer.canvas", { name: slide.file_name })}
            data-testid="viewer-canvas"
          />
          <ColdBanner slide={slide} />
          <DamageBanner slide={slide} />
          {viewer && view && (
            <>
              <div className={styles.left}>
                {hasChannels && channelsOpen && (
                  <ChannelPanel slide={slide} controls={controls} onClose={toggleChannels} />
                )}
                <div className={styles.lower}>
                  {mapShown && <FocusLegend failed={focusMap.failed} dark={controls.tinted} />}
                  <ScaleBarView slide={slide} view={view} viewer={viewer} field={element} />
                </div>
              </div>
              <div className={styles.lowerMiddle}>
                <MagnificationChooser
                  presets={presets}
                  view={view}
                  magnification={magnification ?? null}
                  language={language}
                  onZoom={(zoom) => viewer.zoomTo(zoom)}
                  onZoomBy={(factor) => viewer.zoomBy(factor)}
                  onHome={() => viewer.goHome()}
                />
              </div>
              <div className={styles.right}>
                {hasPlanes && (
                  <FocusControl
                    heightsUm={slide.focal_planes_um}
                    plane={controls.plane}
                    onPlane={controls.setPlane}
                  />
                )}
                <SlideMap
                  slide={slide}
                  pyramid={pyramid}
                  look={controls.look}
                  view={view}
                  viewer={viewer}
                />
              </div>
              {view.failures > 0 && (
                <div className={styles.failures} role="alert" data-testid="tile-failures">
                  <WarningIcon />
                  <span>{t("viewer.tilesFailed", { count: view.failures })}</span>
                  <button type="button" className={styles.plain} onClick={() => viewer.retryFailed()}>
                    {t("error.retry")}
                  </button>
                </div>
              )}
            </>
          )}
        </div>
        {panelOpen && (
          <SlidePanel
            slide={slide}
            session={props.session}
            mapShown={mapShown}
            onMap={toggleMap}
            onEnlarge={setEnlarged}
          />
        )}
      </div>
      <HelpDialogue
        opened={helpOpen}
        presets={presets}
        has={{ channels: hasChannels, planes: hasPlanes, focusMap: hasFocusMap }}
        onClose={() => setHelpOpen(false)}
      />
      <PictureDialogue slide={slide} image={enlarged} onClose={() => setEnlarged(null)} />
    </div>
  );
}

function useFullScreen(element: RefObject<HTMLElement | null>) {
  const [active, setActive] = useState(false);
  useEffect(() => {
    const onChange = (): void => setActive(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", onChange);
    return () => document.removeEventListener("fullscreenchange", onChange);
  }, []);
  const toggle = (): void => {
    // Refused by the browser without a gesture of the user's: then nothing has happened.
    const done = document.fullscreenElement
      ? document.exitFullscreen()
      : element.current?.requestFullscreen();
    done?.catch(() => undefined);
  };
  return { active, toggle };
}

function useStoredToggle(key: string, initial: boolean): [boolean, () => void] {
  const [on, setOn] = useState(() => {
    try {
      const stored = localStorage.getItem(key);
      return stored === null ? initial : stored === "true";
    } catch {
      return initial;
    }
  });
  const toggle = (): void => {
    setOn(!on);
    try {
      localStorage.setItem(key, String(!on));
    } catch {
      // Kept for this visit only.
    }
  };
  return [on, toggle];
}

import { Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Slide } from "../../api/types";
import type { SlideViewer, View } from "../../osd/slideViewer";
import { leaveSlide } from "../route";
import {
  BackIcon,
  ChannelsIcon,
  FocusMapIcon,
  FullScreenIcon,
  HelpIcon,
  LeaveFullScreenIcon,
  MirrorIcon,
  PanelIcon,
  RotateLeftIcon,
  RotateRightIcon,
} from "../shell/icons";
import styles from "./ViewerBar.module.css";

interface ViewerBarProps {
  readonly slide: Slide;
  readonly viewer: SlideViewer | null;
  readonly view: View | null;
  readonly panelOpen: boolean;
  readonly fullScreen: boolean;
  /** Null where the slide has none. */
  readonly channelsOpen: boolean | null;
  readonly focusMapShown: boolean | null;
  readonly onChannels: () => void;
  readonly onFocusMap: () => void;
  readonly onPanel: () => void;
  readonly onFullScreen: () => void;
  readonly onHelp: () => void;
}

export function ViewerBar(props: ViewerBarProps) {
  const { t } = useTranslation();
  const { slide, viewer, view } = props;
  return (
    <header className={styles.bar}>
      <Tool name={t("viewer.back")} testId="viewer-back" onClick={leaveSlide}>
        <BackIcon />
      </Tool>
      <div className={styles.names}>
        <h1 title={slide.file_name}>{slide.file_name}</h1>
        <span>{slide.establishment.name}</span>
      </div>
      <div className={styles.tools}>
        <Tool
          name={t("viewer.rotateLeft")}
          shortcut="⇧R"
          testId="rotate-left"
          onClick={() => viewer?.rotateBy(-90)}
        >
          <RotateLeftIcon />
        </Tool>
        <RotationDial viewer={viewer} view={view} />
        <Tool
          name={t("viewer.rotateRight")}
          shortcut="R"
          testId="rotate-right"
          onClick={() => viewer?.rotateBy(90)}
        >
          <RotateRightIcon />
        </Tool>
        <i className={styles.divider} />
        <Tool
          name={t("viewer.mirror")}
          shortcut="M"
          testId="mirror"
          pressed={view?.mirrored ?? false}
          onClick={() => viewer?.toggleMirror()}
        >
          <MirrorIcon />
        </Tool>
        <Tool
          name={t(props.fullScreen ? "viewer.leaveFullScreen" : "viewer.fullScreen")}
          shortcut="F"
          testId="full-screen"
          onClick={props.onFullScreen}
        >
          {props.fullScreen ? <LeaveFullScreenIcon /> : <FullScreenIcon />}
        </Tool>
        <i className={styles.divider} />
        {props.channelsOpen !== null && (
          <Tool
            name={t("channels.title")}
            shortcut="C"
            testId="channels-toggle"
            pressed={props.channelsOpen}
            onClick={props.onChannels}
          >
            <ChannelsIcon />
          </Tool>
        )}
        {props.focusMapShown !== null && (
          <Tool
            name={t("focusMap.title")}
            shortcut="Q"
            testId="focus-map-toggle"
            pressed={props.focusMapShown}
            onClick={props.onFocusMap}
          >
            <FocusMapIcon />
          </Tool>
        )}
        <Tool name={t("viewer.help")} shortcut="?" testId="help" onClick={props.onHelp}>
          <HelpIcon />
        </Tool>
        <Tool
          name={t("viewer.panel")}
          shortcut="I"
          testId="panel-toggle"
          pressed={props.panelOpen}
          onClick={props.onPanel}
        >
          <PanelIcon />
        </Tool>
      </div>
    </header>
  );
}

/** Turns in steps of 15°; the reading is shown beside it. */
function RotationDial(props: { readonly viewer: SlideViewer | null; readonly view: View | null }) {
  const { t } = useTranslation();
  const turned = Math.round(props.view?.rotation ?? 0) % 360;
  const signed = turned > 180 ? turned - 360 : turned;
  return (
    <label className={styles.dial}>
      <input
        type="range"
        min={-180}
        max={180}
        step={15}
        value={signed}
        aria-label={t("viewer.rotation")}
        title={t("viewer.rotation")}
        data-testid="rotation"
        onChange={(event) => {
          // From where the slide is heading, so that dragging does not lag behind the animation.
          const { viewer } = props;
          const heading = viewer?.osd.viewport.getRotation() ?? 0;
          const difference = (Number(event.currentTarget.value) - heading) % 360;
          const shortest = ((difference + 540) % 360) - 180;
          viewer?.rotateBy(shortest);
        }}
        onPointerUp={(event) => event.currentTarget.blur()}
      />
      <output>{signed < 0 ? `−${-signed}` : signed}°</output>
    </label>
  );
}

function Tool(props: {
  readonly name: string;
  readonly shortcut?: string;
  readonly testId: string;
  readonly pressed?: boolean;
  readonly onClick: () => void;
  readonly children: ReactNode;
}) {
  const label = (
    <>
      {props.name}
      {props.shortcut && <span className={styles.shortcut}>{props.shortcut}</span>}
    </>
  );
  return (
    <Tooltip label={label} openDelay={350} withinPortal={false}>
      <button
        type="button"
        className={styles.tool}
        aria-label={props.name}
        aria-pressed={props.pressed}
        data-testid={props.testId}
        onClick={props.onClick}
      >
        {props.children}
      </button>
    </Tooltip>
  );
}

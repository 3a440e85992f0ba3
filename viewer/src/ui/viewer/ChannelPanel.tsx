import type { MouseEvent } from "react";
import { useTranslation } from "react-i18next";

import type { OpticalPath, Slide } from "../../api/types";
import {
  hexOf,
  parseHex,
  soloChannel,
  withChannel,
  type Channel,
} from "../../core/channels";
import { CloseIcon, EyeIcon, EyeOffIcon, OnlyIcon, ResetIcon } from "../shell/icons";
import styles from "./ChannelPanel.module.css";
import type { LookControls } from "./useLook";
import { WindowSlider } from "./WindowSlider";

/** The optical paths of the slide: which are seen, in which colours, between which samples. */
export function ChannelPanel(props: {
  readonly slide: Slide;
  readonly controls: LookControls;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const { slide, controls } = props;
  const { tinted, channels, first, setChannels } = controls;
  return (
    <section className={styles.panel} aria-label={t("channels.title")} data-testid="channels">
      <header className={styles.head}>
        <h2>{t("channels.title")}</h2>
        {tinted && (
          <button
            type="button"
            className={styles.icon}
            aria-label={t("channels.reset")}
            title={t("channels.reset")}
            disabled={channels === first}
            onClick={() => setChannels(first)}
            data-testid="channels-reset"
          >
            <ResetIcon />
          </button>
        )}
        <button
          type="button"
          className={styles.icon}
          aria-label={t("panel.close")}
          title={`${t("panel.close")} (C)`}
          onClick={props.onClose}
        >
          <CloseIcon />
        </button>
      </header>
      <ul className={styles.rows}>
        {channels.map((channel) => {
          const path = slide.optical_paths[channel.path];
          if (!path) return null;
          const Row = tinted ? LightRow : ColourRow;
          return <Row key={channel.path} {...{ channel, path, controls }} bits={slide.bits} />;
        })}
      </ul>
    </section>
  );
}

interface RowProps {
  readonly channel: Channel;
  readonly path: OpticalPath;
  readonly bits: number;
  readonly controls: LookControls;
}

function useName({ channel, path }: RowProps): string {
  const { t } = useTranslation();
  return path.name?.trim() || t("channels.path", { number: channel.path + 1 });
}

/** Light: as many as one likes at once. */
function LightRow(props: RowProps) {
  const { t } = useTranslation();
  const { channel, path, bits, controls } = props;
  const { channels, first, setChannels } = controls;
  const name = useName(props);
  const change = (changed: Partial<Channel>): void =>
    setChannels(withChannel(channels, channel.path, changed));
  const solo = (): void => setChannels(soloChannel(channels, channel.path));
  const toggle = (event: MouseEvent): void => {
    if (event.altKey) solo();
    else change({ shown: !channel.shown });
  };
  const start = first[channel.path]?.window ?? channel.window;
  return (
    <li className={styles.row} data-shown={channel.shown} data-testid="channel">
      <div className={styles.line}>
        <input
          type="color"
          className={styles.swatch}
          value={hexOf(channel.colour)}
          aria-label={t("channels.colour", { name })}
          title={t("channels.colour", { name })}
          onChange={(event) => {
            const colour = parseHex(event.currentTarget.value);
            if (colour) change({ colour });
          }}
          data-testid="channel-colour"
        />
        <div className={styles.name} onDoubleClick={solo} title={name}>
          <span>{name}</span>
          <Wavelengths path={path} />
        </div>
        {channels.length > 1 && (
          <button
            type="button"
            className={styles.icon}
            aria-label={t("channels.only", { name })}
            title={t("channels.only", { name })}
            onClick={solo}
            data-testid="channel-only"
          >
            <OnlyIcon />
          </button>
        )}
        <button
          type="button"
          className={styles.icon}
          aria-label={t("channels.show", { name })}
          aria-pressed={channel.shown}
          title={channel.shown ? t("channels.hideHint") : t("channels.showHint")}
          onClick={toggle}
          data-testid="channel-shown"
        >
          {channel.shown ? <EyeIcon /> : <EyeOffIcon />}
        </button>
      </div>
      <WindowSlider
        name={name}
        bits={bits}
        window={channel.window}
        disabled={!channel.shown}
        onChange={(window) => change({ window })}
        onReset={() => change({ window: start })}
      />
    </li>
  );
}

/** True colours cannot be added up: one path at a time. */
function ColourRow(props: RowProps) {
  const { channel, path, controls } = props;
  const name = useName(props);
  return (
    <li className={styles.row} data-testid="channel">
      <label className={styles.line}>
        <input
          type="radio"
          className={styles.radio}
          name="optical-path"
          checked={channel.shown}
          onChange={() =>
            controls.setChannels(
              controls.channels.map((other) => ({ ...other, shown: other.path === channel.path })),
            )
          }
          data-testid="channel-shown"
        />
        <span className={styles.name} title={name}>
          <span>{name}</span>
          <Wavelengths path={path} />
        </span>
      </label>
    </li>
  );
}

function Wavelengths(props: { readonly path: OpticalPath }) {
  const { t } = useTranslation();
  const { excitation_nm: excitation, emission_nm: emission } = props.path;
  if (excitation === null && emission === null) return null;
  const round = (nm: number): number => Math.round(nm);
  const text =
    excitation !== null && emission !== null
      ? `${round(excitation)} → ${round(emission)}\u00a0nm`
      : emission !== null
        ? t("channels.emission", { nm: round(emission) })
        : t("channels.excitation", { nm: round(excitation ?? 0) });
  return (
    <span className={styles.nm} title={t("channels.wavelengths")}>
      {text}
    </span>
  );
}

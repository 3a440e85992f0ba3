import { Kbd, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Preset } from "../../core/magnification";
import { useLanguage } from "../../i18n";
import styles from "./HelpDialogue.module.css";
import { presetText } from "./MagnificationChooser";

export function HelpDialogue(props: {
  readonly opened: boolean;
  readonly presets: readonly Preset[];
  /** What this slide has beyond others. */
  readonly has: {
    readonly channels: boolean;
    readonly planes: boolean;
    readonly focusMap: boolean;
  };
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const shift = t("help.shift");
  const objectives = props.presets.filter((preset) => preset.kind !== "native");
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("help.title")}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={760}
      centered
      withinPortal={false}
      transitionProps={{ duration: 120 }}
    >
      <div className={styles.columns} data-testid="help-dialogue">
        <dl>
          {objectives.map((preset) => (
            <Entry key={preset.key} keys={[[String(preset.key)]]}>
              {presetText(preset, language)}
            </Entry>
          ))}
          <Entry keys={[["7"]]}>{t("help.native")}</Entry>
          <Entry keys={[["0"]]}>{t("help.home")}</Entry>
        </dl>
        <dl>
          <Entry keys={[["+"], ["−"]]}>{t("help.zoom")}</Entry>
          <Entry keys={[[t("help.wheel")]]}>{t("help.wheelText")}</Entry>
          <Entry keys={[["←"], ["↑"], ["↓"], ["→"]]}>{t("help.pan")}</Entry>
          <Entry keys={[[shift, "→"]]}>{t("help.panLarge")}</Entry>
          <Entry keys={[["R"], [shift, "R"]]}>{t("help.rotate")}</Entry>
          <Entry keys={[["T"], [shift, "T"]]}>{t("help.rotateFine")}</Entry>
          <Entry keys={[["M"]]}>{t("help.mirror")}</Entry>
          <Entry keys={[["F"]]}>{t("help.fullScreen")}</Entry>
          {props.has.planes && (
            <>
              <Entry keys={[[t("help.pageUp")], [t("help.pageDown")]]}>{t("help.focus")}</Entry>
              <Entry keys={[[t("help.ctrl"), t("help.wheel")]]}>{t("help.focusWheel")}</Entry>
            </>
          )}
          {props.has.channels && <Entry keys={[["C"]]}>{t("channels.title")}</Entry>}
          {props.has.focusMap && <Entry keys={[["Q"]]}>{t("focusMap.title")}</Entry>}
          <Entry keys={[["N"], ["P"]]}>{t("help.slides")}</Entry>
          <Entry keys={[["I"]]}>{t("help.panel")}</Entry>
          <Entry keys={[["?"], ["H"]]}>{t("help.help")}</Entry>
        </dl>
      </div>
    </Modal>
  );
}

/** Alternatives stand apart, the keys of one chord close together. */
function Entry(props: { readonly keys: readonly (readonly string[])[]; readonly children: ReactNode }) {
  return (
    <div className={styles.entry}>
      <dt>
        {props.keys.map((chord) => (
          <span key={chord.join("+")}>
            {chord.map((key) => (
              <Kbd key={key}>{key}</Kbd>
            ))}
          </span>
        ))}
      </dt>
      <dd>{props.children}</dd>
    </div>
  );
}

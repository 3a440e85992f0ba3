import { Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import type { Slide } from "../../api/types";
import type { Pictured } from "./LabelSection";
import styles from "./PictureDialogue.module.css";

/** The label or the overview, as large as the screen allows. */
export function PictureDialogue(props: {
  readonly slide: Slide;
  readonly image: Pictured | null;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const { slide, image } = props;
  return (
    <Modal
      opened={image !== null}
      onClose={props.onClose}
      title={image && `${t(`panel.${image}`)}, ${slide.file_name}`}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size="min(92vw, 1100px)"
      centered
      withinPortal={false}
      transitionProps={{ duration: 120 }}
    >
      {image && (
        <img
          className={styles.picture}
          src={imageAddress(slide.id, image)}
          alt={t(`panel.${image}`)}
          data-testid="enlarged"
        />
      )}
    </Modal>
  );
}

import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { imageAddress } from "../../api/client";
import { useApproveDestruction } from "../../api/retention";
import { confirmationOf, formatDate, type Destruction } from "../../core/retention";
import { formatBytes, formatPixels } from "../../core/text";
import { useLanguage } from "../../i18n";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
import styles from "./RetentionTab.module.css";

/** The second person looks at what would go, and types what proves that they did. */
export function ApproveDialogue(props: {
  readonly destruction: Destruction;
  readonly waitDays: number;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const approve = useApproveDestruction();
  const { destruction, waitDays } = props;
  const { slide } = destruction;
  const [typed, setTyped] = useState("");
  const wanted = confirmationOf(destruction);
  const right = typed.trim().toLowerCase() === wanted;

  return (
    <FormDialogue
      title={t("retention.approveTitle")}
      submit={t("retention.approveSubmit")}
      onSubmit={() =>
        approve.mutate(
          { id: destruction.id, slide_id: destruction.slide_id },
          { onSuccess: props.onClose },
        )
      }
      onClose={props.onClose}
      ready={right}
      pending={approve.isPending}
      error={approve.error}
      grave
      size={640}
      testid="approve-dialogue"
      submitTestid="approve-submit"
    >
      {slide && (
        <div className={styles.doomed}>
          <img src={imageAddress(destruction.slide_id, "thumbnail")} alt="" />
          <dl className={styles.facts}>
            <Fact name={t("retention.slide")}>{slide.file_name}</Fact>
            <Fact name={t("fact.format")}>{slide.format}</Fact>
            <Fact name={t("fact.pixels")}>
              {formatPixels(slide.columns, slide.rows, language)}
            </Fact>
            <Fact name={t("retention.size")}>
              {t("retention.objects", {
                count: slide.objects,
                size: formatBytes(slide.size_bytes, language),
              })}
            </Fact>
            <Fact name={t("retention.published")}>
              {formatDate(slide.published_at, language)}
            </Fact>
            <Fact name={t("retention.keptUntil")}>
              {formatDate(destruction.kept_until, language)}
            </Fact>
            <Fact name={t("fact.sha256")}>
              <Hash of={destruction.source_sha256} />
            </Fact>
          </dl>
        </div>
      )}
      <p className={styles.reason}>
        {t("retention.askedFor", { name: destruction.asked_by })}{" "}
        {t(`retention.grounds.${destruction.ground}`)}
        {t("retention.colon")}
        {destruction.reason}
      </p>
      {destruction.early && (
        <p className={dialogueStyles.warning} role="alert">
          {t("retention.approveEarly", { date: formatDate(destruction.kept_until, language) })}
        </p>
      )}
      <p>
        {waitDays > 0
          ? t("retention.approveNext", { count: waitDays })
          : t("retention.approveNow")}
      </p>
      <TextInput
        label={t("retention.confirm")}
        description={t("retention.confirmHint")}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
        className={styles.confirm}
        data-testid="confirm"
      />
    </FormDialogue>
  );
}

function Fact(props: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** Its end stands out: it is what is to be typed. */
function Hash(props: { readonly of: string }) {
  return (
    <span className={styles.id}>
      {props.of.slice(0, 6)}…<strong>{props.of.slice(-6)}</strong>
    </span>
  );
}

import { Radio } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useAskDestruction } from "../../api/retention";
import { formatDate, groundsOn, isReason, type Ground } from "../../core/retention";
import { useLanguage } from "../../i18n";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
import { ReasonField } from "./ReasonField";

/** Ask for one slide to be destroyed: the first of two people. */
export function AskDialogue(props: {
  readonly slide: string;
  readonly name: string;
  readonly keptUntil: string;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const ask = useAskDestruction();
  const grounds = groundsOn(new Date(), props.keptUntil);
  const ended = grounds.includes("retention_ended");
  const [ground, setGround] = useState<Ground | null>(ended ? "retention_ended" : null);
  const [reason, setReason] = useState("");
  const submit = (): void => {
    if (ground === null) return;
    ask.mutate(
      { slide_id: props.slide, ground, reason: reason.trim() },
      { onSuccess: props.onClose },
    );
  };

  return (
    <FormDialogue
      title={t("retention.askTitle")}
      submit={t("retention.askSubmit")}
      onSubmit={submit}
      onClose={props.onClose}
      ready={ground !== null && isReason(reason)}
      pending={ask.isPending}
      error={ask.error}
      grave
      size={560}
      testid="ask-dialogue"
      submitTestid="ask-submit"
    >
      <p className={dialogueStyles.subject}>{props.name}</p>
      <p className={ended ? dialogueStyles.hint : dialogueStyles.warning}>
        {t(ended ? "retention.askEnded" : "retention.askEarly", {
          date: formatDate(props.keptUntil, language),
        })}
      </p>
      <Radio.Group
        label={t("retention.ground")}
        value={ground}
        onChange={(value) => setGround(value as Ground)}
        required
      >
        <div className={dialogueStyles.choices} data-column="true">
          {grounds.map((each) => (
            <Radio key={each} value={each} label={t(`retention.grounds.${each}`)} />
          ))}
        </div>
      </Radio.Group>
      <ReasonField value={reason} onChange={setReason} />
      <p className={dialogueStyles.hint}>{t("retention.askNext")}</p>
    </FormDialogue>
  );
}

import { Radio, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useAskWork } from "../../api/cases";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";

const KINDS = ["recut", "ihc", "special_stain"] as const;

/** Ask the laboratory for another slide of a block. */
export function WorkDialogue(props: {
  readonly id: string;
  readonly block: string;
  /** Whether the laboratory hears of it by itself. */
  readonly sent: boolean;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const ask = useAskWork(props.id);
  const [kind, setKind] = useState<(typeof KINDS)[number]>("ihc");
  const [stain, setStain] = useState("");
  const [words, setWords] = useState("");
  const needsStain = kind !== "recut";
  const submit = (): void =>
    ask.mutate(
      {
        kind,
        parent: props.block,
        stain: needsStain ? stain.trim() : null,
        words: words.trim() || null,
      },
      { onSuccess: props.onClose },
    );

  return (
    <FormDialogue
      title={t("case.workTitle")}
      submit={t("case.workSubmit")}
      onSubmit={submit}
      onClose={props.onClose}
      ready={props.sent && (!needsStain || stain.trim() !== "")}
      pending={ask.isPending}
      error={ask.error}
      testid="work-dialogue"
      submitTestid="work-submit"
    >
      <p className={dialogueStyles.subject}>{t("case.block", { name: props.block })}</p>
      <Radio.Group
        label={t("case.workKind")}
        value={kind}
        onChange={(value) => setKind(value as (typeof KINDS)[number])}
      >
        <div className={dialogueStyles.choices}>
          {KINDS.map((each) => (
            <Radio key={each} value={each} label={t(`case.work.${each}`)} />
          ))}
        </div>
      </Radio.Group>
      {needsStain && (
        <TextInput
          label={t(kind === "ihc" ? "case.antibody" : "case.stain")}
          placeholder={kind === "ihc" ? "Ki-67" : "PAS"}
          value={stain}
          onChange={(event) => setStain(event.currentTarget.value)}
          maxLength={100}
          required
          data-autofocus
          data-testid="work-stain"
        />
      )}
      <Textarea
        label={t("case.workWords")}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        maxLength={500}
        autosize
        minRows={2}
        maxRows={5}
        data-testid="work-words"
      />
      <p className={dialogueStyles.hint} data-testid="work-hint">
        {t(props.sent ? "case.workHint" : "case.workUntold")}
      </p>
    </FormDialogue>
  );
}

import { Button, Modal, Radio, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useAskWork } from "../../api/cases";
import { inSight } from "../shell/inSight";
import { sentenceFor } from "../shell/problem";
import styles from "./ReasonDialogue.module.css";

const KINDS = ["recut", "ihc", "special_stain"] as const;

/** Ask the laboratory for another slide of a block. */
export function WorkDialogue(props: {
  readonly id: string;
  readonly block: string;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const ask = useAskWork(props.id);
  const [kind, setKind] = useState<(typeof KINDS)[number]>("ihc");
  const [stain, setStain] = useState("");
  const [words, setWords] = useState("");
  const needsStain = kind !== "recut";
  const ready = !needsStain || stain.trim() !== "";
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!ready || ask.isPending) return;
    ask.mutate(
      {
        kind,
        parent: props.block,
        stain: needsStain ? stain.trim() : null,
        words: words.trim() || null,
      },
      { onSuccess: props.onClose },
    );
  };

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={t("case.workTitle")}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={520}
      centered
      portalProps={inSight()}
      transitionProps={{ duration: 120 }}
    >
      <form className={styles.form} onSubmit={submit} noValidate data-testid="work-dialogue">
        <p className={styles.subject}>{t("case.block", { name: props.block })}</p>
        <Radio.Group
          label={t("case.workKind")}
          value={kind}
          onChange={(value) => setKind(value as (typeof KINDS)[number])}
        >
          <div className={styles.kinds}>
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
        <p className={styles.hint}>{t("case.workHint")}</p>
        {ask.isError && (
          <p className={styles.problem} role="alert">
            {sentenceFor(ask.error, t)}
          </p>
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={props.onClose}>
            {t("retention.cancel")}
          </Button>
          <Button type="submit" disabled={!ready} loading={ask.isPending} data-testid="work-submit">
            {t("case.workSubmit")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

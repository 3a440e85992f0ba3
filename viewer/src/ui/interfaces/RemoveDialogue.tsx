import { useTranslation } from "react-i18next";

import { useRemoveInterface, type Interface } from "../../api/interfaces";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";

/** Forget an interface whose file is gone: only a person knows that it is no outage. */
export function RemoveDialogue(props: { readonly shown: Interface; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useRemoveInterface();
  const { shown } = props;
  const untold = shown.backlog + shown.stopped;
  return (
    <FormDialogue
      title={t("interfaces.removeTitle", { name: shown.name })}
      submit={t("interfaces.removeSubmit")}
      onSubmit={() => remove.mutate(shown.name, { onSuccess: props.onClose })}
      onClose={props.onClose}
      pending={remove.isPending}
      error={remove.error}
      grave
      testid="remove-dialogue"
      submitTestid="remove-submit"
    >
      <p>{t("interfaces.removeText")}</p>
      {untold > 0 && (
        <p className={dialogueStyles.warning}>{t("interfaces.removeUntold", { count: untold })}</p>
      )}
      <p className={dialogueStyles.hint}>{t("interfaces.removeHint")}</p>
    </FormDialogue>
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useWithdrawDestruction } from "../../api/retention";
import { isReason, type Destruction } from "../../core/retention";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
import { ReasonField } from "./ReasonField";

/** Take a destruction back while it is still time. */
export function WithdrawDialogue(props: {
  readonly destruction: Destruction;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const withdraw = useWithdrawDestruction();
  const [reason, setReason] = useState("");

  return (
    <FormDialogue
      title={t("retention.withdrawTitle")}
      submit={t("retention.withdrawSubmit")}
      onSubmit={() =>
        withdraw.mutate(
          { id: props.destruction.id, reason: reason.trim() },
          { onSuccess: props.onClose },
        )
      }
      onClose={props.onClose}
      ready={isReason(reason)}
      pending={withdraw.isPending}
      error={withdraw.error}
    >
      <p className={dialogueStyles.subject}>{props.destruction.slide?.file_name}</p>
      <ReasonField value={reason} onChange={setReason} />
    </FormDialogue>
  );
}

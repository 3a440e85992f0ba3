import { useTranslation } from "react-i18next";

import { useWithdrawWork, type WorkOrder } from "../../api/cases";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";

/** Take back what was asked of the laboratory, before it has answered. */
export function WithdrawWork(props: {
  readonly id: string;
  readonly order: WorkOrder;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const withdraw = useWithdrawWork(props.id);
  const { order } = props;
  return (
    <FormDialogue
      title={t("case.withdrawTitle")}
      submit={t("case.withdrawWork")}
      onSubmit={() => withdraw.mutate(order.id, { onSuccess: props.onClose })}
      onClose={props.onClose}
      pending={withdraw.isPending}
      error={withdraw.error}
      testid="withdraw-dialogue"
      submitTestid="withdraw-submit"
    >
      <p className={dialogueStyles.subject}>
        {t(`case.work.${order.kind}`)}
        {order.stain && ` ${order.stain}`} · {order.parent_identifier}
      </p>
      <p className={dialogueStyles.hint}>{t("case.withdrawHint")}</p>
    </FormDialogue>
  );
}

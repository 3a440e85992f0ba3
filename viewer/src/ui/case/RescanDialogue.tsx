import { useTranslation } from "react-i18next";

import { useAskRescan, type Glass } from "../../api/cases";
import { ReasonDialogue } from "./ReasonDialogue";
import { dialogueStyles } from "../shell/FormDialogue";

const REASONS = ["blurred", "missing", "bubble", "dirty", "objective"] as const;

/** Ask the scanner room for a new scan of a glass. */
export function RescanDialogue(props: {
  readonly id: string;
  readonly glass: Pick<Glass, "id" | "identifier">;
  /** Whether the laboratory hears of it by itself. */
  readonly sent: boolean;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const ask = useAskRescan(props.id);
  return (
    <ReasonDialogue
      title={t("case.rescanTitle")}
      hint={t(props.sent ? "case.rescanHint" : "case.rescanUntold")}
      submit={t("case.rescan")}
      offered={REASONS.map((reason) => t(`case.rescanReasons.${reason}`))}
      act={(reason) => ask.mutateAsync({ glass: props.glass.id, reason })}
      onClose={props.onClose}
    >
      <p className={dialogueStyles.subject}>{props.glass.identifier}</p>
    </ReasonDialogue>
  );
}

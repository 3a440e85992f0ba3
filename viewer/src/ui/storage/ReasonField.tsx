import { Textarea } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { LONGEST_REASON } from "../../core/retention";

/** Why, in a person's words: it stays on record when the slide is gone. */
export function ReasonField(props: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <Textarea
      label={t("retention.reason")}
      description={t("retention.reasonHint")}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      maxLength={LONGEST_REASON}
      autosize
      minRows={2}
      maxRows={6}
      required
      data-testid="reason"
    />
  );
}

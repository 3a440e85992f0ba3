import { Button, NumberInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSetRule, type Retention } from "../../api/retention";
import { isReason } from "../../core/retention";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
import { ReasonField } from "./ReasonField";
import styles from "./RetentionTab.module.css";

/** The rule in words, who made it, and whether the stores guard the objects, too. */
export function RuleSection(props: { readonly rule: Retention; readonly mayChange: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { rule } = props;
  const [changing, setChanging] = useState(false);

  return (
    <section className={styles.rule} data-testid="retention-rule">
      <div className={styles.head}>
        <p className={styles.sentence}>{t("retention.rule", { count: rule.years })}</p>
        {props.mayChange && (
          <Button variant="default" onClick={() => setChanging(true)} data-testid="change-rule">
            {t("retention.change")}
          </Button>
        )}
      </div>
      <p>{t("retention.nothingByItself")}</p>
      <p>
        {rule.wait_days > 0
          ? t("retention.twoPeople", { count: rule.wait_days })
          : t("retention.twoPeopleAtOnce")}
      </p>
      <p className={styles.hint}>
        {rule.changed_by && rule.changed_at
          ? t("retention.changedBy", {
              name: rule.changed_by,
              moment: formatMoment(rule.changed_at, language),
              reason: rule.reason,
            })
          : t("retention.usual")}
      </p>
      <ul className={styles.locks}>
        {rule.stores.map((store) => (
          <li key={store.store} data-lock={String(store.object_lock)}>
            <strong>{t(`retention.store.${store.store}`)}</strong>
            {store.object_lock === null
              ? t("retention.lock.unknown")
              : t(store.object_lock ? "retention.lock.yes" : "retention.lock.no")}
          </li>
        ))}
      </ul>
      {changing && <ChangeDialogue rule={rule} onClose={() => setChanging(false)} />}
    </section>
  );
}

function ChangeDialogue(props: { readonly rule: Retention; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const change = useSetRule();
  const [years, setYears] = useState<number | string>(props.rule.years);
  const [waitDays, setWaitDays] = useState<number | string>(props.rule.wait_days);
  const [reason, setReason] = useState("");
  const valid = typeof years === "number" && typeof waitDays === "number" && isReason(reason);

  const submit = (): void => {
    if (typeof years !== "number" || typeof waitDays !== "number") return;
    change.mutate(
      { years, wait_days: waitDays, reason: reason.trim() },
      { onSuccess: props.onClose },
    );
  };

  return (
    <FormDialogue
      title={t("retention.changeTitle")}
      submit={t("retention.changeSubmit")}
      onSubmit={submit}
      onClose={props.onClose}
      ready={valid}
      pending={change.isPending}
      error={change.error}
    >
      <NumberInput
        label={t("retention.years")}
        value={years}
        onChange={setYears}
        min={1}
        max={100}
        clampBehavior="strict"
        allowDecimal={false}
        data-testid="rule-years"
      />
      <NumberInput
        label={t("retention.waitDays")}
        value={waitDays}
        onChange={setWaitDays}
        min={0}
        max={90}
        clampBehavior="strict"
      />
      <ReasonField value={reason} onChange={setReason} />
      {typeof years === "number" && years < props.rule.years && (
        <p className={dialogueStyles.warning} role="alert">
          {t("retention.shorter")}
        </p>
      )}
    </FormDialogue>
  );
}

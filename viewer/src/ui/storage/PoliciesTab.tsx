import { Button, Loader, NumberInput, Select, Switch } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useKeepPolicy, usePolicy, useSimulation, type Policy } from "../../api/tiers";
import type { Session } from "../../api/types";
import { isSound, MOST_RULES, sameRules, type Rule, type Rules } from "../../core/tiers";
import { useLanguage } from "../../i18n";
import { Notice } from "../shell/Notice";
import { sentenceFor } from "../shell/problem";
import { MovesSection } from "./MovesSection";
import styles from "./PoliciesTab.module.css";
import { SimulationSection } from "./SimulationSection";

/** When slides become cold: said in words, tried out, and applied. */
export function PoliciesTab(props: { readonly session: Session }) {
  const policy = usePolicy();
  if (policy.isPending) return <Loader color="dark.2" size="sm" className={styles.waiting} />;
  if (policy.isError && !policy.data) {
    return <Notice error={policy.error} onRetry={() => void policy.refetch()} />;
  }
  const mayChange = props.session.permissions.includes("change_storage");
  return <Policies key={JSON.stringify(policy.data.policy)} kept={policy.data} mayChange={mayChange} />;
}

function Policies(props: { readonly kept: Policy; readonly mayChange: boolean }) {
  const { t } = useTranslation();
  const { kept, mayChange } = props;
  const keep = useKeepPolicy();
  const [rules, setRules] = useState<Rules>(kept.policy);
  const [tried, setTried] = useState<Rules | null>(null);
  const simulation = useSimulation(tried);
  const sound = isSound(rules);
  const changed = !sameRules(rules, kept.policy);
  const change = (part: Partial<Rules>): void => setRules({ ...rules, ...part });

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (sound && changed) keep.mutate(rules);
  };

  return (
    <div className={styles.tab} data-testid="policies">
      {!kept.available && <p className={styles.warning}>{t("policies.noStore")}</p>}
      <form className={styles.form} onSubmit={submit} noValidate>
        <h2 className={styles.heading}>{t("policies.title")}</h2>
        <p className={styles.hint}>{t("policies.how")}</p>
        <ul className={styles.rules}>
          {rules.rules.map((rule, index) => (
            <RuleRow
              // Rules have no names: they are told apart by their place.
              key={index}
              rule={rule}
              disabled={!mayChange}
              onChange={(next) => change({ rules: rules.rules.with(index, next) })}
              onRemove={() => change({ rules: rules.rules.toSpliced(index, 1) })}
            />
          ))}
        </ul>
        {rules.rules.length === 0 && <p className={styles.none}>{t("policies.none")}</p>}
        {mayChange && rules.rules.length < MOST_RULES && (
          <Button
            variant="default"
            className={styles.add ?? ""}
            onClick={() =>
              change({
                rules: [...rules.rules, { after_days: 365, event: "last_viewed", to: "cold" }],
              })
            }
            data-testid="add-rule"
          >
            {t("policies.add")}
          </Button>
        )}
        <Details rules={rules} disabled={!mayChange} onChange={change} />
        <Switch
          checked={rules.active}
          disabled={!mayChange || (!kept.available && !rules.active)}
          onChange={(event) => change({ active: event.currentTarget.checked })}
          label={t("policies.active")}
          description={t("policies.activeHint")}
          data-testid="policy-active"
        />
        <div className={styles.buttons}>
          <Button
            variant="default"
            disabled={!sound}
            loading={simulation.isFetching}
            onClick={() => {
              setTried(rules);
              if (tried && sameRules(tried, rules)) void simulation.refetch();
            }}
            data-testid="simulate"
          >
            {t("policies.simulate")}
          </Button>
          {mayChange && (
            <Button
              type="submit"
              disabled={!sound || !changed}
              loading={keep.isPending}
              data-testid="apply-policy"
            >
              {t("policies.apply")}
            </Button>
          )}
          <span className={styles.state} role="status" data-problem={keep.isError || !sound}>
            {!sound
              ? t("policies.unsound")
              : keep.error
                ? sentenceFor(keep.error, t)
                : changed
                  ? t("policies.changed")
                  : t(kept.policy.active ? "policies.inForce" : "policies.notInForce")}
          </span>
        </div>
      </form>
      {tried && (
        <SimulationSection
          simulation={simulation.data ?? null}
          error={simulation.error}
          outdated={!sameRules(tried, rules)}
        />
      )}
      <MovesSection />
    </div>
  );
}

function RuleRow(props: {
  readonly rule: Rule;
  readonly disabled: boolean;
  readonly onChange: (rule: Rule) => void;
  readonly onRemove: () => void;
}) {
  const { t } = useTranslation();
  const { rule, disabled } = props;
  return (
    <li className={styles.rule} data-testid="policy-rule">
      <NumberInput
        aria-label={t("policies.days")}
        value={rule.after_days}
        onChange={(value) =>
          props.onChange({ ...rule, after_days: typeof value === "number" ? value : 0 })
        }
        min={1}
        max={36_500}
        allowDecimal={false}
        clampBehavior="none"
        disabled={disabled}
        hideControls
        className={styles.days ?? ""}
        data-testid="rule-days"
      />
      <span>{t("policies.daysAfter")}</span>
      <Select
        aria-label={t("policies.event")}
        value={rule.event}
        data={[
          { value: "last_viewed", label: t("policies.lastViewed") },
          { value: "signed_out", label: t("policies.signedOut") },
          { value: "published", label: t("policies.published") },
        ]}
        onChange={(value) => {
          if (value === "last_viewed" || value === "published" || value === "signed_out") {
            props.onChange({ ...rule, event: value });
          }
        }}
        allowDeselect={false}
        disabled={disabled}
        className={styles.event ?? ""}
      />
      <span>{t("policies.toCold")}</span>
      {!disabled && (
        <button type="button" className={styles.remove} onClick={props.onRemove}>
          {t("policies.remove")}
        </button>
      )}
    </li>
  );
}

/** What else is decided, with a usual value each. */
function Details(props: {
  readonly rules: Rules;
  readonly disabled: boolean;
  readonly onChange: (part: Partial<Rules>) => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { rules, disabled, onChange } = props;
  const common = {
    clampBehavior: "none" as const,
    decimalSeparator: language === "fr" ? "," : ".",
    thousandSeparator: language === "fr" ? "\u202f" : ",",
    hideControls: true,
    disabled,
  };
  const whole = (value: number | string): number => (typeof value === "number" ? value : 0);
  const price = (value: number | string): number | null =>
    typeof value === "number" ? value : null;
  return (
    <fieldset className={styles.details}>
      <legend>{t("policies.details")}</legend>
      <NumberInput
        {...common}
        label={t("policies.warmSide")}
        description={t("policies.warmSideHint")}
        value={rules.warm_side}
        allowDecimal={false}
        suffix={"\u00a0px"}
        onChange={(value) => onChange({ warm_side: whole(value) })}
      />
      <NumberInput
        {...common}
        label={t("policies.restoredDays")}
        description={t("policies.restoredDaysHint")}
        value={rules.restored_days}
        allowDecimal={false}
        onChange={(value) => onChange({ restored_days: whole(value) })}
      />
      <NumberInput
        {...common}
        label={t("policies.pace")}
        description={t("policies.paceHint")}
        value={rules.slides_per_day}
        allowDecimal={false}
        onChange={(value) => onChange({ slides_per_day: whole(value) })}
      />
      <NumberInput
        {...common}
        label={t("policies.warmPrice")}
        description={t("policies.priceHint")}
        value={rules.warm_price ?? ""}
        decimalScale={2}
        onChange={(value) => onChange({ warm_price: price(value) })}
      />
      <NumberInput
        {...common}
        label={t("policies.coldPrice")}
        description={t("policies.priceHint")}
        value={rules.cold_price ?? ""}
        decimalScale={2}
        onChange={(value) => onChange({ cold_price: price(value) })}
      />
    </fieldset>
  );
}

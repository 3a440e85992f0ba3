import { Button, NumberInput } from "@mantine/core";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useKeepActivity, type KnownActivity, type Seen } from "../../api/capacity";
import {
  activityOf,
  FIELD_GROUPS,
  formatDay,
  formatNumber,
  formOf,
  isValid,
  sameForm,
  type Field,
  type FieldId,
  type Form,
} from "../../core/capacity";
import { formatBytes } from "../../core/text";
import { useLanguage } from "../../i18n";
import { sentenceFor } from "../shell/problem";
import styles from "./ActivityForm.module.css";

/** What the forecast is made of: seen, or typed in. It is tried as it is typed, and kept when asked. */
export function ActivityForm(props: {
  readonly known: KnownActivity;
  readonly form: Form;
  readonly onChange: (form: Form) => void;
  readonly mayKeep: boolean;
}) {
  const { t } = useTranslation();
  const { known, form, onChange } = props;
  const keep = useKeepActivity();
  const kept = formOf(known.activity);
  const activity = activityOf(form);
  const changed = !sameForm(form, kept);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (activity && changed && props.mayKeep) keep.mutate(activity);
  };

  return (
    <form
      className={styles.form}
      onSubmit={submit}
      aria-labelledby="capacity-assumptions"
      data-testid="capacity-form"
      noValidate
    >
      <h2 id="capacity-assumptions">{t("capacity.assumptions")}</h2>
      <SeenNote seen={known.seen} onUse={() => onChange(withSeen(form, known))} />
      {FIELD_GROUPS.map((group) => (
        <fieldset key={group.id} className={styles.group}>
          <legend>{t(`capacity.group.${group.id}`)}</legend>
          {group.fields.map((field) => (
            <FieldInput
              key={field.id}
              field={field}
              value={form[field.id]}
              onChange={(value) => onChange({ ...form, [field.id]: value })}
            />
          ))}
        </fieldset>
      ))}
      <div className={styles.foot}>
      <div className={styles.actions}>
        {props.mayKeep && (
          <Button
            type="submit"
            disabled={!changed || !activity}
            loading={keep.isPending}
            data-testid="capacity-keep"
          >
            {t("capacity.keep")}
          </Button>
        )}
        <Button
          variant="default"
          disabled={!changed}
          onClick={() => onChange(kept)}
          data-testid="capacity-undo"
        >
          {t("capacity.undo")}
        </Button>
      </div>
      <p className={styles.state} role="status" data-problem={keep.isError || !activity}>
        {!activity
          ? t("capacity.incomplete")
          : keep.error
            ? sentenceFor(keep.error, t)
            : changed
              ? t("capacity.tried")
              : t(known.typed_in ? "capacity.kept" : "capacity.notTypedIn")}
      </p>
      </div>
    </form>
  );
}

/** What was seen takes the place of what was typed; the rest stays. */
function withSeen(form: Form, known: KnownActivity): Form {
  const { slidesPerDay, meanSize, growth, coldFactor, warmShare } = formOf(known.offered);
  return {
    ...form,
    slidesPerDay,
    meanSize,
    ...(known.seen.growth_percent_per_year === null ? {} : { growth }),
    ...(known.seen.cold_factor === null ? {} : { coldFactor }),
    ...(known.seen.warm_share === null ? {} : { warmShare }),
  };
}

function SeenNote(props: { readonly seen: Seen; readonly onUse: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { seen } = props;
  if (seen.since === null || seen.mean_size_bytes === null) {
    return <p className={styles.seen}>{t("capacity.nothingSeen")}</p>;
  }
  return (
    <p className={styles.seen}>
      {t("capacity.seen", {
        count: seen.slides,
        since: formatDay(seen.since, language),
        slides: formatNumber(seen.slides, language),
        perDay: formatNumber(seen.slides_per_day ?? 0, language, 1),
        size: formatBytes(seen.mean_size_bytes, language),
      })}{" "}
      <button type="button" onClick={props.onUse} data-testid="capacity-use-seen">
        {t("capacity.useSeen")}
      </button>
    </p>
  );
}

function FieldInput(props: {
  readonly field: Field;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { field, value } = props;
  const bounds = {
    min: formatNumber(field.min, language, field.digits),
    max: formatNumber(field.max, language, field.digits),
  };
  return (
    <NumberInput
      id={fieldElement(field.id)}
      label={t(`capacity.field.${field.id}`)}
      value={value ?? ""}
      onChange={(next) => props.onChange(typeof next === "number" ? next : parsed(next))}
      min={field.min}
      max={field.max}
      clampBehavior="none"
      decimalScale={field.digits}
      decimalSeparator={language === "fr" ? "," : "."}
      allowedDecimalSeparators={[",", "."]}
      thousandSeparator={language === "fr" ? "\u202f" : ","}
      suffix={`\u00a0${t(`capacity.unit.${field.id}`)}`}
      placeholder={field.optional ? t(`capacity.empty.${emptyOf(field)}`) : ""}
      error={isValid(field, value) ? null : t("capacity.bounds", bounds)}
      hideControls
      classNames={{
        root: styles.field ?? "",
        label: styles.label ?? "",
        input: styles.input ?? "",
        wrapper: styles.wrapper ?? "",
        error: styles.error ?? "",
      }}
      data-testid={`capacity-${field.id}`}
    />
  );
}

/** The id of a field's element. */
export function fieldElement(field: FieldId): string {
  return `capacity-${field}`;
}

function parsed(text: string): number | null {
  const value = Number(text);
  return text.trim() === "" || Number.isNaN(value) ? null : value;
}

/** What an empty field means. */
function emptyOf(field: Field): "never" | "unknown" | "noLimit" {
  if (field.id === "daysUntilCold") return "never";
  return field.id.startsWith("room") ? "noLimit" : "unknown";
}

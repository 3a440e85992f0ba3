import { Checkbox, Select, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Workers } from "../../api/cases";
import type { Priority } from "../../core/cases";
import { givenTo, giverOf, isWhole, typed, type AssignmentRule } from "../../core/work";
import { CloseIcon, DownIcon, UpIcon } from "../shell/icons";
import styles from "./work.module.css";

const PRIORITIES = ["S", "A", "R"] as const;

/** One rule: what a case must be, and whose it is then. */
export function RuleRow(props: {
  readonly rule: AssignmentRule;
  readonly place: number;
  readonly workers: Workers;
  /** A rule above it fits every case. */
  readonly hidden: boolean;
  /** How many cases it would have got; null while that is not known. */
  readonly got: number | null;
  readonly onChange: (rule: AssignmentRule) => void;
  readonly onRemove: () => void;
  readonly onUp: (() => void) | null;
  readonly onDown: (() => void) | null;
}) {
  const { t } = useTranslation();
  const { rule, workers } = props;
  const change = (part: Partial<AssignmentRule>): void => props.onChange({ ...rule, ...part });
  const giver = giverOf(rule);
  const gone = giver !== null && !isKnown(rule, workers);
  const options = [
    { group: t("work.rules.groups"), items: workers.groups.map(optionOf("group")) },
    { group: t("work.rules.people"), items: workers.accounts.map(optionOf("account")) },
  ].filter(({ items }) => items.length > 0);

  const note = props.hidden
    ? t("work.rules.hidden")
    : !isWhole(rule)
      ? t("work.rules.toNobody")
      : props.got !== null && t("work.rules.got", { count: props.got });

  return (
    <li className={styles.rule} data-testid="assignment-rule">
      <span className={styles.place}>{props.place}</span>
      <div className={styles.fields}>
        <TextInput
          label={t("work.rules.organ")}
          placeholder={t("work.rules.anyOrgan")}
          value={rule.organ ?? ""}
          maxLength={120}
          onChange={(event) => change({ organ: typed(event.currentTarget.value) })}
          data-testid="rule-organ"
        />
        <TextInput
          label={t("work.rules.service")}
          placeholder={t("work.rules.anyService")}
          value={rule.service ?? ""}
          maxLength={120}
          onChange={(event) => change({ service: typed(event.currentTarget.value) })}
        />
        <Select
          label={t("work.rules.priority")}
          value={rule.priority ?? ""}
          data={[
            { value: "", label: t("work.rules.anyPriority") },
            ...PRIORITIES.map((each) => ({ value: each, label: t(`work.kind.${each}`) })),
          ]}
          onChange={(value) => change({ priority: value ? (value as Priority) : null })}
          allowDeselect={false}
        />
        <Select
          label={t("work.rules.extemporane")}
          value={rule.extemporane === null ? "" : String(rule.extemporane)}
          data={[
            { value: "", label: t("work.rules.either") },
            { value: "true", label: t("work.rules.only") },
            { value: "false", label: t("work.rules.never") },
          ]}
          onChange={(value) => change({ extemporane: value ? value === "true" : null })}
          allowDeselect={false}
        />
        <Select
          label={t("work.rules.to")}
          placeholder={t("work.rules.choose")}
          value={gone ? null : giver}
          data={options}
          onChange={(value) => props.onChange(givenTo(rule, value))}
          allowDeselect={false}
          searchable
          error={gone ? t("work.rules.gone") : null}
          data-testid="rule-to"
        />
        <p className={styles.note} data-tone={props.hidden ? "trouble" : "plain"}>
          {note}
        </p>
        {rule.group !== null && (
          <Checkbox
            className={styles.turn ?? ""}
            label={t("work.rules.rotate")}
            checked={rule.rotate}
            onChange={(event) => change({ rotate: event.currentTarget.checked })}
            data-testid="rule-rotate"
          />
        )}
      </div>
      <div className={styles.moves}>
        <Move label={t("work.rules.up", { place: props.place })} onMove={props.onUp}>
          <UpIcon />
        </Move>
        <Move label={t("work.rules.down", { place: props.place })} onMove={props.onDown}>
          <DownIcon />
        </Move>
        <Move label={t("work.rules.remove", { place: props.place })} onMove={props.onRemove}>
          <CloseIcon />
        </Move>
      </div>
    </li>
  );
}

function Move(props: {
  readonly label: string;
  readonly onMove: (() => void) | null;
  readonly children: React.ReactNode;
}) {
  return (
    <button
      type="button"
      aria-label={props.label}
      title={props.label}
      disabled={props.onMove === null}
      onClick={() => props.onMove?.()}
    >
      {props.children}
    </button>
  );
}

function optionOf(kind: "account" | "group") {
  return ({ id, name }: { readonly id: string; readonly name: string }) => ({
    value: `${kind} ${id}`,
    label: name,
  });
}

function isKnown(rule: AssignmentRule, workers: Workers): boolean {
  const known = rule.account === null ? workers.groups : workers.accounts;
  return known.some(({ id }) => id === (rule.account ?? rule.group));
}

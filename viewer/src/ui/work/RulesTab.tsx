import { Button } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { useWorkers, type Workers } from "../../api/cases";
import { useAssignmentRules, useSetRules, useSimulateRules } from "../../api/work";
import {
  fitsAll,
  isWhole,
  MOST_RULES,
  moved,
  NEW_RULE,
  sameRules,
  type AssignmentRule,
} from "../../core/work";
import { sentenceFor } from "../shell/problem";
import { RuleRow } from "./RuleRow";
import { Intro, Waiting } from "./Section";
import styles from "./work.module.css";

/** Whose a new case is: the first rule that fits says it. */
export function RulesTab() {
  const { t } = useTranslation();
  const kept = useAssignmentRules();
  const workers = useWorkers(true);
  return (
    <div className={styles.tab} data-testid="work-rules">
      <Intro text={t("work.rules.intro")} />
      <Waiting of={kept} />
      {kept.data && workers.data && (
        <Rules
          key={JSON.stringify(kept.data.rules)}
          kept={kept.data.rules}
          workers={workers.data}
        />
      )}
    </div>
  );
}

function Rules(props: { readonly kept: readonly AssignmentRule[]; readonly workers: Workers }) {
  const { t } = useTranslation();
  const { kept, workers } = props;
  const [rules, setRules] = useState(kept);
  const [tried, setTried] = useState<readonly AssignmentRule[] | null>(null);
  const keep = useSetRules();
  const simulation = useSimulateRules();
  const whole = rules.every(isWhole);
  const changed = !sameRules(rules, kept);
  const counted = tried && sameRules(tried, rules) ? simulation.data : undefined;
  const problem = keep.error ?? simulation.error;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (whole && changed) keep.mutate(rules);
  };
  const hidden = rules.findIndex(fitsAll);

  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      {rules.length === 0 && <p className={styles.none}>{t("work.rules.none")}</p>}
      <ol className={styles.rules}>
        {rules.map((rule, index) => (
          <RuleRow
            // Rules have no names: they are told apart by their place.
            key={index}
            rule={rule}
            place={index + 1}
            workers={workers}
            hidden={hidden >= 0 && index > hidden}
            got={counted?.by_rule[index] ?? null}
            onChange={(next) => setRules(rules.with(index, next))}
            onRemove={() => setRules(rules.toSpliced(index, 1))}
            onUp={index > 0 ? () => setRules(moved(rules, index, -1)) : null}
            onDown={index < rules.length - 1 ? () => setRules(moved(rules, index, 1)) : null}
          />
        ))}
      </ol>
      {counted && (
        <p className={styles.counted} role="status" data-testid="simulated">
          {counted.cases === 0
            ? t("work.rules.noCases")
            : t("work.rules.simulated", { count: counted.cases, none: counted.by_none })}
        </p>
      )}
      {rules.length < MOST_RULES && (
        <Button
          variant="default"
          className={styles.add ?? ""}
          onClick={() => setRules([...rules, NEW_RULE])}
          data-testid="add-rule"
        >
          {t("work.rules.add")}
        </Button>
      )}
      <div className={styles.buttons}>
        <Button type="submit" disabled={!whole || !changed} loading={keep.isPending} data-testid="keep-rules">
          {t("work.keep")}
        </Button>
        <Button variant="default" disabled={!changed} onClick={() => setRules(kept)}>
          {t("work.undo")}
        </Button>
        <Button
          variant="default"
          disabled={!whole || rules.length === 0}
          loading={simulation.isPending}
          onClick={() => {
            setTried(rules);
            simulation.mutate(rules);
          }}
          data-testid="simulate-rules"
        >
          {t("work.rules.simulate")}
        </Button>
        <span className={styles.state} role="status" data-problem={problem !== null || !whole}>
          {!whole
            ? t("work.rules.unsound")
            : problem
              ? sentenceFor(problem, t)
              : changed
                ? t("work.changed")
                : rules.length > 0 && t("work.rules.inForce")}
        </span>
      </div>
    </form>
  );
}

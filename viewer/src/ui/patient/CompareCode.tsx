import { Button, TextInput } from "@mantine/core";
import { useState, type FormEvent, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { useCompare } from "../../api/patients";
import { isSeparator, SEPARATOR } from "../../core/scanned";
import { sentenceFor } from "../shell/problem";
import styles from "./CompareCode.module.css";

const TRAITS = [
  "birth_name",
  "first_given_name",
  "given_names",
  "sex",
  "birth_date",
  "birth_place",
  "ins",
] as const;

/** A field that a reader types an INS code into: is it this patient's? Nothing is changed by it. */
export function CompareCode(props: { readonly patient: string }) {
  const { t } = useTranslation();
  const [code, setCode] = useState("");
  const compare = useCompare(props.patient);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!code.trim() || compare.isPending) return;
    compare.mutate(code);
    setCode("");
  };
  const onKey = (event: KeyboardEvent): void => {
    if (!isSeparator(event)) return;
    event.preventDefault();
    setCode((known) => known + SEPARATOR);
  };

  return (
    <form className={styles.form} onSubmit={submit} data-testid="compare-code">
      <p className={styles.hint}>{t("compare.hint")}</p>
      <TextInput
        aria-label={t("compare.title")}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        onKeyDown={onKey}
        maxLength={600}
        autoComplete="off"
        spellCheck={false}
        data-testid="ins-code"
      />
      <Button type="submit" variant="default" loading={compare.isPending} disabled={!code.trim()}>
        {t("compare.submit")}
      </Button>
      {compare.isError && (
        <p className={styles.trouble} role="alert">
          {sentenceFor(compare.error, t)}
        </p>
      )}
      {compare.data && (
        <div role="status" data-testid="compared" data-whose={compare.data.whose}>
          <p className={styles.whose} data-whose={compare.data.whose}>
            {t(`compare.whose.${compare.data.whose}`)}
          </p>
          <dl className={styles.fields}>
            {TRAITS.map((trait) => (
              <div key={trait} data-agreement={compare.data.fields[trait] ?? "unknown"}>
                <dt>{t(`compare.trait.${trait}`)}</dt>
                <dd>{t(`compare.field.${compare.data.fields[trait] ?? "unknown"}`)}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </form>
  );
}

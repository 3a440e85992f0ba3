import { Radio, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import { useSetLink } from "../../api/work";
import { isSound, problemsOf, type SglLink } from "../../core/work";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
import { sentenceFor } from "../shell/problem";

const METHODS = ["POST", "GET"] as const;
const NEW_LINK: SglLink = { name: "", method: "POST", url: "", field: "" };
const REFUSED = 422;

/** How a case is opened there; what is wrong is said once a field was left. */
export function LinkDialogue(props: {
  /** Null for a new one. */
  readonly link: SglLink | null;
  readonly taken: readonly string[];
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const set = useSetLink();
  const [link, setLink] = useState(props.link ?? NEW_LINK);
  const [left, setLeft] = useState<readonly string[]>([]);
  const problems = problemsOf(link, props.link ? [] : props.taken);
  const change = (part: Partial<SglLink>): void => {
    setLink({ ...link, ...part });
    set.reset();
  };
  const told = (field: keyof typeof problems): string | null => {
    const problem = problems[field];
    return problem !== null && left.includes(field) ? t(`work.links.problem.${problem}`) : null;
  };
  const leave = (field: string) => (): void => setLeft((known) => [...known, field]);
  const refused = set.error instanceof ApiProblem && set.error.status === REFUSED;

  return (
    <FormDialogue
      title={props.link ? t("work.links.changeTitle", { name: link.name }) : t("work.links.addTitle")}
      submit={t("work.keep")}
      onSubmit={() => set.mutate(link, { onSuccess: props.onClose })}
      onClose={props.onClose}
      ready={isSound(problems)}
      pending={set.isPending}
      error={refused ? null : set.error}
      size={600}
      testid="link-dialogue"
      submitTestid="link-submit"
    >
      {!props.link && (
        <TextInput
          label={t("work.links.name")}
          description={t("work.links.nameHint")}
          value={link.name}
          onChange={(event) => change({ name: event.currentTarget.value.trim() })}
          onBlur={leave("name")}
          error={told("name")}
          maxLength={40}
          required
          data-autofocus
          data-testid="link-name"
        />
      )}
      <Radio.Group
        label={t("work.links.method")}
        value={link.method}
        onChange={(value) => change({ method: value === "GET" ? "GET" : "POST" })}
      >
        <div className={dialogueStyles.choices} data-column="true">
          {METHODS.map((each) => (
            <Radio
              key={each}
              value={each}
              label={t(`work.links.methods.${each}`)}
              description={t(`work.links.methodHints.${each}`)}
              data-testid={`link-${each}`}
            />
          ))}
        </div>
      </Radio.Group>
      <TextInput
        label={t("work.links.url")}
        description={t(`work.links.urlHints.${link.method}`)}
        value={link.url}
        onChange={(event) => change({ url: event.currentTarget.value.trim() })}
        onBlur={leave("url")}
        error={refused && set.error ? sentenceFor(set.error, t) : told("url")}
        maxLength={500}
        spellCheck={false}
        autoComplete="off"
        required
        data-testid="link-url"
      />
      {link.method === "POST" && (
        <TextInput
          label={t("work.links.field")}
          description={t("work.links.fieldHint")}
          value={link.field}
          onChange={(event) => change({ field: event.currentTarget.value.trim() })}
          onBlur={leave("field")}
          error={told("field")}
          maxLength={50}
          spellCheck={false}
          autoComplete="off"
          required
          data-testid="link-field"
        />
      )}
    </FormDialogue>
  );
}

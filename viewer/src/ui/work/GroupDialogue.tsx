import { MultiSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Worker } from "../../api/cases";
import { ApiProblem } from "../../api/client";
import { useSetGroup, type Group } from "../../api/work";
import { FormDialogue } from "../shell/FormDialogue";
import { sentenceFor } from "../shell/problem";

const TAKEN = 409;

/** A group's name and who is in it. */
export function GroupDialogue(props: {
  /** Null for a new one. */
  readonly group: Group | null;
  readonly readers: readonly Worker[];
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const { group, readers } = props;
  const set = useSetGroup();
  const [name, setName] = useState(group?.name ?? "");
  const [members, setMembers] = useState(group?.members.map((each) => each.id) ?? []);
  const people = [...readers, ...(group?.members ?? [])];
  const taken = set.error instanceof ApiProblem && set.error.status === TAKEN;
  return (
    <FormDialogue
      title={t(group ? "work.groups.changeTitle" : "work.groups.addTitle")}
      submit={t("work.keep")}
      onSubmit={() =>
        set.mutate({ id: group?.id ?? null, name, members }, { onSuccess: props.onClose })
      }
      onClose={props.onClose}
      ready={name.trim() !== ""}
      pending={set.isPending}
      error={taken ? null : set.error}
      testid="group-dialogue"
      submitTestid="group-submit"
    >
      <TextInput
        label={t("work.groups.name")}
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
          set.reset();
        }}
        error={taken && set.error ? sentenceFor(set.error, t) : null}
        maxLength={120}
        required
        data-autofocus
        data-testid="group-name"
      />
      <MultiSelect
        label={t("work.groups.members")}
        description={t("work.groups.membersHint")}
        placeholder={members.length === 0 ? t("work.groups.search") : ""}
        nothingFoundMessage={t("work.groups.nobody")}
        data={[...new Map(people.map((each) => [each.id, each.name]))].map(([value, label]) => ({
          value,
          label,
        }))}
        value={members}
        onChange={setMembers}
        searchable
        hidePickedOptions
        maxDropdownHeight={220}
        data-testid="group-members"
      />
    </FormDialogue>
  );
}

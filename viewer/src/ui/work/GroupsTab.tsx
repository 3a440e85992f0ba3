import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useWorkers } from "../../api/cases";
import { ApiProblem } from "../../api/client";
import { useGroups, useRemoveGroup, type Group } from "../../api/work";
import { FormDialogue } from "../shell/FormDialogue";
import { GroupDialogue } from "./GroupDialogue";
import { Intro, Waiting } from "./Section";
import styles from "./work.module.css";

const IN_USE = 409;

/** Pathologists who share cases. */
export function GroupsTab() {
  const { t } = useTranslation();
  const groups = useGroups();
  const workers = useWorkers(true);
  const [changing, setChanging] = useState<Group | "new" | null>(null);
  const [removing, setRemoving] = useState<Group | null>(null);
  const items = groups.data?.items ?? [];
  return (
    <div className={styles.tab} data-testid="work-groups">
      <Intro
        text={t("work.groups.intro")}
        action={
          <Button variant="default" onClick={() => setChanging("new")} data-testid="new-group">
            {t("work.groups.add")}
          </Button>
        }
      />
      <Waiting of={groups} />
      {groups.isSuccess && items.length === 0 && (
        <p className={styles.none}>{t("work.groups.none")}</p>
      )}
      <ul className={styles.cards}>
        {items.map((group) => (
          <li key={group.id} className={styles.card} data-testid="group">
            <div className={styles.what}>
              <h2>{group.name}</h2>
              <p className={group.members.length === 0 ? styles.trouble : styles.hint}>
                {group.members.length === 0
                  ? t("work.groups.noMembers")
                  : group.members.map((each) => each.name).join(", ")}
              </p>
            </div>
            <Button variant="default" onClick={() => setChanging(group)} data-testid="change-group">
              {t("work.change")}
            </Button>
            <Button variant="default" onClick={() => setRemoving(group)} data-testid="remove-group">
              {t("work.remove")}
            </Button>
          </li>
        ))}
      </ul>
      {changing && (
        <GroupDialogue
          group={changing === "new" ? null : changing}
          readers={workers.data?.accounts ?? []}
          onClose={() => setChanging(null)}
        />
      )}
      {removing && <RemoveGroup group={removing} onClose={() => setRemoving(null)} />}
    </div>
  );
}

function RemoveGroup(props: { readonly group: Group; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useRemoveGroup();
  const inUse = remove.error instanceof ApiProblem && remove.error.status === IN_USE;
  return (
    <FormDialogue
      title={t("work.groups.removeTitle", { name: props.group.name })}
      submit={t("work.remove")}
      onSubmit={() => remove.mutate(props.group.id, { onSuccess: props.onClose })}
      onClose={props.onClose}
      pending={remove.isPending}
      error={inUse ? new ApiProblem(IN_USE, "", t("work.groups.inUse")) : remove.error}
      grave
      testid="remove-dialogue"
      submitTestid="remove-submit"
    >
      <p>{t("work.groups.removeText")}</p>
    </FormDialogue>
  );
}

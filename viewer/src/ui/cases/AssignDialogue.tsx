import { Modal } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useAssign, useWorkers, type Assignment } from "../../api/cases";
import { CheckIcon, GroupIcon, PersonIcon } from "../shell/icons";
import { sentenceFor } from "../shell/problem";
import styles from "./AssignDialogue.module.css";

/** Give a case to a pathologist or a group, or take it back: one click. */
export function AssignDialogue(props: {
  readonly id: string;
  readonly accession: string;
  readonly to: Assignment;
  /** The name that who is signed in goes by. */
  readonly me: string;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const workers = useWorkers(true);
  const assign = useAssign();
  const [words, setWords] = useState("");
  const give = (to: Assignment): void =>
    assign.mutate({ id: props.id, to }, { onSuccess: props.onClose });
  const fits = (name: string): boolean =>
    name.toLocaleLowerCase().includes(words.trim().toLocaleLowerCase());
  const accounts = [...(workers.data?.accounts ?? [])].sort(
    (one, other) => Number(other.name === props.me) - Number(one.name === props.me),
  );
  const many = accounts.length + (workers.data?.groups.length ?? 0) > 8;

  return (
    <Modal
      opened
      onClose={props.onClose}
      title={t("cases.assignTitle", { name: props.accession })}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={420}
      centered
      transitionProps={{ duration: 120 }}
    >
      <div className={styles.lists} data-testid="assign-dialogue">
        {many && (
          <input
            className={styles.search}
            value={words}
            placeholder={t("cases.assignSearch")}
            aria-label={t("cases.assignSearch")}
            onChange={(event) => setWords(event.currentTarget.value)}
            data-autofocus
          />
        )}
        {(assign.error ?? workers.error) && (
          <p className={styles.problem} role="alert">
            {sentenceFor((assign.error ?? workers.error) as Error, t)}
          </p>
        )}
        <ul>
          {accounts.filter((one) => fits(one.name)).map((one, index) => (
            <li key={one.id}>
              <button
                type="button"
                onClick={() => give({ account: one.id, group: props.to.group })}
                disabled={assign.isPending}
                data-autofocus={!many && index === 0 ? true : undefined}
                aria-pressed={one.id === props.to.account}
                data-testid={`assign-${one.name}`}
              >
                <PersonIcon />
                <span>{one.name === props.me ? t("cases.assignMe", { name: one.name }) : one.name}</span>
                {one.id === props.to.account && <CheckIcon />}
              </button>
            </li>
          ))}
        </ul>
        {(workers.data?.groups.length ?? 0) > 0 && (
          <>
            <h3>{t("cases.groups")}</h3>
            <ul>
              {workers.data?.groups.filter((one) => fits(one.name)).map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    onClick={() => give({ account: null, group: one.id })}
                    disabled={assign.isPending}
                    aria-pressed={one.id === props.to.group}
                    data-testid={`assign-${one.name}`}
                  >
                    <GroupIcon />
                    <span>{one.name}</span>
                    {one.id === props.to.group && props.to.account === null && <CheckIcon />}
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
        {(props.to.account !== null || props.to.group !== null) && (
          <button
            type="button"
            className={styles.nobody}
            onClick={() => give({ account: null, group: null })}
            disabled={assign.isPending}
            data-testid="assign-nobody"
          >
            {t("cases.assignNobody")}
          </button>
        )}
      </div>
    </Modal>
  );
}

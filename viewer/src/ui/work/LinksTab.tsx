import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useLinks, useRemoveLink } from "../../api/work";
import type { SglLink } from "../../core/work";
import { FormDialogue } from "../shell/FormDialogue";
import { LinkDialogue } from "./LinkDialogue";
import { Intro, Waiting } from "./Section";
import styles from "./work.module.css";

/** From a case here to the same case in the laboratory's system. */
export function LinksTab(props: { readonly mayChange: boolean }) {
  const { t } = useTranslation();
  const links = useLinks();
  const [changing, setChanging] = useState<SglLink | "new" | null>(null);
  const [removing, setRemoving] = useState<SglLink | null>(null);
  const items = links.data?.items ?? [];
  return (
    <div className={styles.tab} data-testid="work-links">
      <Intro
        text={t("work.links.intro")}
        action={
          props.mayChange && (
            <Button variant="default" onClick={() => setChanging("new")} data-testid="new-link">
              {t("work.links.add")}
            </Button>
          )
        }
      />
      <Waiting of={links} />
      {links.isSuccess && items.length === 0 && (
        <p className={styles.none}>{t("work.links.none")}</p>
      )}
      <ul className={styles.cards}>
        {items.map((link) => (
          <li key={link.name} className={styles.card} data-testid="link">
            <div className={styles.what}>
              <h2>{link.name}</h2>
              <p className={styles.address}>{link.url}</p>
              <p className={styles.hint}>
                {link.method === "POST"
                  ? t("work.links.posted", { field: link.field })
                  : t("work.links.inAddress")}
              </p>
            </div>
            {props.mayChange && (
              <>
                <Button variant="default" onClick={() => setChanging(link)} data-testid="change-link">
                  {t("work.change")}
                </Button>
                <Button variant="default" onClick={() => setRemoving(link)} data-testid="remove-link">
                  {t("work.remove")}
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
      {changing && (
        <LinkDialogue
          link={changing === "new" ? null : changing}
          taken={items.map(({ name }) => name)}
          onClose={() => setChanging(null)}
        />
      )}
      {removing && <RemoveLink link={removing} onClose={() => setRemoving(null)} />}
    </div>
  );
}

function RemoveLink(props: { readonly link: SglLink; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useRemoveLink();
  return (
    <FormDialogue
      title={t("work.links.removeTitle", { name: props.link.name })}
      submit={t("work.remove")}
      onSubmit={() => remove.mutate(props.link.name, { onSuccess: props.onClose })}
      onClose={props.onClose}
      pending={remove.isPending}
      error={remove.error}
      grave
      testid="remove-dialogue"
      submitTestid="remove-submit"
    >
      <p>{t("work.links.removeText")}</p>
    </FormDialogue>
  );
}

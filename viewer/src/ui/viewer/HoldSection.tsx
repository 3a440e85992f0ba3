import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSession } from "../../api/queries";
import { useKept, useSetHold, type Kept } from "../../api/retention";
import type { Slide } from "../../api/types";
import { formatDate, isReason } from "../../core/retention";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
import { AskDialogue } from "../storage/AskDialogue";
import { ReasonField } from "../storage/ReasonField";
import styles from "./HoldSection.module.css";
import panel from "./SlidePanel.module.css";

/** How long the slide is kept, what holds it, and whether somebody wants it destroyed. */
export function HoldSection(props: { readonly slide: Slide }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const session = useSession();
  // Guests come for the pictures: how long they are kept is none of theirs, and is refused them.
  const kept = useKept(props.slide.id, session.data != null && session.data.role !== "guest");
  const [opened, setOpened] = useState<"hold" | "ask" | null>(null);
  if (!kept.data) return null;
  const may = (permission: string): boolean =>
    session.data?.permissions.includes(permission) ?? false;
  const { held, kept_until: keptUntil, destruction_state: state } = kept.data;

  return (
    <section className={panel.section} aria-label={t("retention.kept")} data-testid="kept">
      <h2 className={panel.heading}>{t("retention.kept")}</h2>
      <p className={styles.line}>
        {t("retention.keptUntilDate", { date: formatDate(keptUntil, language) })}
      </p>
      <HoldLine kept={kept.data} />
      {state && (
        <p className={styles.trouble} role="status">
          {state === "approved" && kept.data.not_before
            ? t("retention.willGo", { moment: formatMoment(kept.data.not_before, language) })
            : t("retention.wantedGone")}
        </p>
      )}
      <div className={styles.actions}>
        {may("hold_slides") && (
          <button type="button" onClick={() => setOpened("hold")} data-testid="hold">
            {t(held ? "retention.lift" : "retention.place")}
          </button>
        )}
        {may("ask_destruction") && !held && !state && (
          <button type="button" onClick={() => setOpened("ask")} data-testid="ask">
            {t("retention.ask")}
          </button>
        )}
      </div>
      {opened === "hold" && (
        <HoldDialogue slide={props.slide} held={held} onClose={() => setOpened(null)} />
      )}
      {opened === "ask" && (
        <AskDialogue
          slide={props.slide.id}
          name={props.slide.file_name}
          keptUntil={keptUntil}
          onClose={() => setOpened(null)}
        />
      )}
    </section>
  );
}

function HoldLine(props: { readonly kept: Kept }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const hold = props.kept.items.find((each) => each.lifted_at === null);
  if (!hold) return null;
  return (
    <div className={styles.hold} data-testid="held">
      <strong>{t("retention.heldTitle")}</strong>
      <p>{hold.reason}</p>
      <p className={styles.by}>
        {t("retention.placedBy", {
          name: hold.placed_by,
          moment: formatMoment(hold.placed_at, language),
        })}
      </p>
    </div>
  );
}

function HoldDialogue(props: {
  readonly slide: Slide;
  readonly held: boolean;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const change = useSetHold(props.slide.id);
  const [reason, setReason] = useState("");

  return (
    <FormDialogue
      title={t(props.held ? "retention.liftTitle" : "retention.placeTitle")}
      submit={t(props.held ? "retention.liftSubmit" : "retention.placeSubmit")}
      onSubmit={() =>
        change.mutate({ on: !props.held, reason: reason.trim() }, { onSuccess: props.onClose })
      }
      onClose={props.onClose}
      ready={isReason(reason)}
      pending={change.isPending}
      error={change.error}
      testid="hold-dialogue"
      submitTestid="hold-submit"
    >
      <p className={dialogueStyles.subject}>{props.slide.file_name}</p>
      <p className={dialogueStyles.hint}>
        {t(props.held ? "retention.liftNext" : "retention.placeNext")}
      </p>
      <ReasonField value={reason} onChange={setReason} />
    </FormDialogue>
  );
}

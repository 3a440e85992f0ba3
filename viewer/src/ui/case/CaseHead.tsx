import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useCaseEvent, useHold, type Case } from "../../api/cases";
import { ApiProblem } from "../../api/client";
import type { Session } from "../../api/types";
import { changesSinceSignOut, isOpen, mayDo, type CaseAction } from "../../core/cases";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { AssignDialogue } from "../cases/AssignDialogue";
import { CaseMark } from "../cases/CaseMark";
import { DueTime } from "../cases/DueTime";
import { ScanCount } from "../cases/ScanCount";
import { casesPath, followLink } from "../route";
import { BackIcon, PauseIcon, PersonIcon } from "../shell/icons";
import { sentenceFor } from "../shell/problem";
import { useNow } from "../shell/useNow";
import styles from "./CaseHead.module.css";
import { ReasonDialogue } from "./ReasonDialogue";
import { SglLinks } from "./SglLinks";

/** The case in a line, and what can be done to it now. */
export function CaseHead(props: { readonly shown: Case; readonly session: Session }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { shown, session } = props;
  const now = useNow(shown.extemporane ? 1_000 : 30_000);
  const [assigning, setAssigning] = useState(false);
  const who = shown.pathologist?.name ?? shown.group?.name ?? null;
  const changes = changesSinceSignOut(shown);
  const mayAssign = session.permissions.includes("assign_cases");
  return (
    <header className={styles.head}>
      <div className={styles.line}>
        {session.role !== "guest" && (
          <a
            className={styles.back}
            href={casesPath()}
            aria-label={t("case.back")}
            title={t("case.back")}
            onClick={followLink}
          >
            <BackIcon />
          </a>
        )}
        <h1>{shown.accession_number}</h1>
        <CaseMark extemporane={shown.extemporane} priority={shown.priority} worded />
        <span className={styles.state} data-state={shown.state} data-testid="case-state">
          {t(`cases.state.${shown.state}`)}
        </span>
        <DueTime row={shown} now={now} />
        <ScanCount scanned={shown.scanned} expected={shown.expected} rescans={shown.rescans} />
        <span className={styles.spring} />
        <SglLinks id={shown.id} session={session} />
        {mayAssign && isOpen(shown.state) ? (
          <Button
            px={12}
            variant="default"
            leftSection={<PersonIcon />}
            onClick={() => setAssigning(true)}
            data-testid="assign"
          >
            {who ?? t("cases.assign")}
          </Button>
        ) : (
          who && <span className={styles.who}>{who}</span>
        )}
        {session.permissions.includes("read_cases") && <Actions shown={shown} />}
      </div>
      <p className={styles.dates}>
        {shown.received_at &&
          t("case.received", { moment: formatMoment(shown.received_at, language) })}
        {shown.signed_out_at &&
          ` · ${t("case.signedOut", { moment: formatMoment(shown.signed_out_at, language) })}`}
        {shown.laboratory_pathologist &&
          ` · ${t("case.laboratorySays", { name: shown.laboratory_pathologist })}`}
      </p>
      {changes > 0 && (
        <p className={styles.held} role="status" data-testid="changed-since">
          {t("case.changedSince", { count: changes })}
        </p>
      )}
      {shown.held_at && (
        <p className={styles.held} role="status" data-testid="case-held">
          <PauseIcon />
          {t("case.held", { reason: shown.hold_reason ?? "" })}
        </p>
      )}
      {assigning && (
        <AssignDialogue
          id={shown.id}
          accession={shown.accession_number}
          to={{ account: shown.pathologist?.id ?? null, group: shown.group?.id ?? null }}
          me={session.name}
          onClose={() => setAssigning(false)}
        />
      )}
    </header>
  );
}

const PLAIN: readonly CaseAction[] = ["begin", "put_back", "sign_out"];

/** Reading and signing out; what needs a reason asks for it first. */
function Actions(props: { readonly shown: Case }) {
  const { t } = useTranslation();
  const { shown } = props;
  const event = useCaseEvent(shown.id);
  const hold = useHold(shown.id);
  const [asking, setAsking] = useState<"hold" | "reopen" | "sign_out" | null>(null);
  const can = PLAIN.filter((action) => mayDo(shown.state, action));
  const main = can.includes("sign_out") && shown.state !== "ready" ? "sign_out" : "begin";
  const missing = shown.expected - shown.scanned + shown.rescans + shown.orders;
  /** What this page does not know of yet is missing: the server says so. */
  const askWhy = (error: Error): void => {
    if (error instanceof ApiProblem && error.title === "IncompleteCase") setAsking("sign_out");
  };
  const start = (action: CaseAction): void => {
    // Signing out what is not whole is allowed, and said before it is done.
    if (action === "sign_out" && missing > 0) setAsking("sign_out");
    else event.mutate({ event: action }, { onError: askWhy });
  };
  const problem = event.error ?? hold.error;

  return (
    <>
      {can.map((action) => (
        <Button
          px={12}
          key={action}
          variant={action === main ? "filled" : "default"}
          loading={event.isPending && event.variables.event === action}
          disabled={event.isPending}
          onClick={() => start(action)}
          data-testid={`case-${action}`}
        >
          {t(`case.action.${action}`)}
        </Button>
      ))}
      {mayDo(shown.state, "reopen") && (
        <Button
          px={12}
          variant="default"
          onClick={() => setAsking("reopen")}
          data-testid="case-reopen"
        >
          {t("case.action.reopen")}
        </Button>
      )}
      {isOpen(shown.state) && (
        <Button
          px={12}
          variant="default"
          loading={hold.isPending}
          onClick={() => (shown.held_at ? hold.mutate(null) : setAsking("hold"))}
          data-testid="case-hold"
        >
          {t(shown.held_at ? "case.action.resume" : "case.action.hold")}
        </Button>
      )}
      {problem && asking === null && (
        <p className={styles.problem} role="alert">
          {sentenceFor(problem, t)}
        </p>
      )}
      {asking === "hold" && (
        <ReasonDialogue
          title={t("case.holdTitle")}
          hint={t("case.holdHint")}
          submit={t("case.action.hold")}
          act={(reason) => hold.mutateAsync(reason)}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === "reopen" && (
        <ReasonDialogue
          title={t("case.reopenTitle")}
          hint={t(shown.links.states ? "case.reopenHint" : "case.reopenUntold")}
          submit={t("case.action.reopen")}
          act={(reason) => event.mutateAsync({ event: "reopen", reason })}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === "sign_out" && (
        <ReasonDialogue
          title={t("case.signOutTitle")}
          hint={t("case.signOutHint", { count: Math.max(1, missing) })}
          submit={t("case.action.sign_out")}
          act={(reason) => event.mutateAsync({ event: "sign_out", reason })}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
}

import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { reportAddress, type Case, type HistoryEntry, type WorkOrder } from "../../api/cases";
import { isShown, kindOfReport } from "../../core/reports";
import { formatBytes } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { CompareCode } from "../patient/CompareCode";
import { ReportIcon } from "../shell/icons";
import styles from "./CaseSide.module.css";
import { WithdrawWork } from "./WithdrawWork";

/** What is said of the case beside its slides, and what became of it so far. */
export function CaseSide(props: {
  readonly shown: Case;
  readonly mayAsk: boolean;
  /** A code may be compared with the patient: of all patients, not of one case alone. */
  readonly mayCompare: boolean;
}) {
  const { t } = useTranslation();
  const [withdrawn, setWithdrawn] = useState<WorkOrder | null>(null);
  const { shown } = props;
  return (
    <aside className={styles.side}>
      {(shown.service ?? shown.clinical_information ?? shown.comment) && (
        <Section title={t("case.request")}>
          {shown.service && <p>{shown.service}</p>}
          {shown.clinical_information && (
            <p data-testid="clinical">{shown.clinical_information}</p>
          )}
          {shown.comment && <p className={styles.muted}>{shown.comment}</p>}
        </Section>
      )}
      <Reports shown={shown} />
      {props.mayCompare && shown.patient && (
        <Section title={t("compare.title")}>
          <CompareCode key={shown.patient.id} patient={shown.patient.id} />
        </Section>
      )}
      {shown.work_orders.length > 0 && (
        <Section title={t("case.workOrders")}>
          <ul className={styles.list}>
            {shown.work_orders.map((order) => (
              <Order
                key={order.id}
                order={order}
                onWithdraw={props.mayAsk ? () => setWithdrawn(order) : null}
              />
            ))}
          </ul>
          {withdrawn && (
            <WithdrawWork id={shown.id} order={withdrawn} onClose={() => setWithdrawn(null)} />
          )}
        </Section>
      )}
      {shown.history.length > 0 && (
        <Section title={t("case.history")}>
          <ol className={styles.history} data-testid="case-history">
            {shown.history.map((entry, index) => <Entry key={index} entry={entry} />).toReversed()}
          </ol>
        </Section>
      )}
    </aside>
  );
}

function Section(props: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className={styles.section}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

function Reports(props: { readonly shown: Case }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { id, reports } = props.shown;
  return (
    <Section title={t("case.reports")}>
      {reports.length === 0 && <p className={styles.muted}>{t("case.noReport")}</p>}
      <ul className={styles.list}>
        {reports.map((report) => (
          <li key={report.id} data-withdrawn={report.withdrawn_at !== null} data-testid="report">
            <a
              className={styles.report}
              href={reportAddress(id, report.id)}
              target="_blank"
              rel="noreferrer"
            >
              <ReportIcon />
              <span>{report.title ?? t("case.report")}</span>
            </a>
            <span className={styles.muted}>
              {t(`case.reportStatus.${report.status}`)} · {formatMoment(report.said_at, language)}
            </span>
            <span className={styles.muted} data-testid="report-kind">
              {kindOfReport(report.media_type)} · {formatBytes(report.size_bytes, language)}
              {!isShown(report.media_type) && ` · ${t("case.download")}`}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Order(props: {
  readonly order: WorkOrder;
  readonly onWithdraw: (() => void) | null;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { order } = props;
  return (
    <li data-state={order.state} data-testid="work-order">
      <div className={styles.order}>
        <span>
          {t(`case.work.${order.kind}`)}
          {order.stain && ` ${order.stain}`}
        </span>
        <strong data-state={order.state}>{t(`case.workState.${order.state}`)}</strong>
      </div>
      <span className={styles.muted}>
        {order.parent_identifier} ·{" "}
        {t("case.byAt", {
          name: order.asked_by ?? "–",
          moment: formatMoment(order.asked_at, language),
        })}
      </span>
      {order.words && <p className={styles.words}>{order.words}</p>}
      {order.refused_why && <p className={styles.refused}>{order.refused_why}</p>}
      {order.state === "asked" && props.onWithdraw && (
        <button
          type="button"
          className={styles.withdraw}
          onClick={props.onWithdraw}
          data-testid="withdraw-work"
        >
          {t("case.withdrawWork")}
        </button>
      )}
    </li>
  );
}

function Entry(props: { readonly entry: HistoryEntry }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { entry } = props;
  return (
    <li>
      <div>{useHappening(entry)}</div>
      {entry.why && <div className={styles.words}>{entry.why}</div>}
      <div className={styles.muted}>
        {formatMoment(entry.at, language)} · {entry.by ?? t(entry.source ? "case.byLab" : "case.bySystem")}
      </div>
    </li>
  );
}

/** One thing that happened, in words. */
function useHappening(entry: HistoryEntry): string {
  const { t } = useTranslation();
  const { kind, before, after } = entry;
  const known = { before: before ?? "–", after: after ?? "–" };
  if (kind === "scan_destroyed") {
    return t("case.happened.scan_destroyed", { ...known, approvedBy: entry.approved_by ?? "–" });
  }
  if (kind === "state" && after) {
    return t(`case.happened.to_${after as Case["state"]}`);
  }
  if (kind === "assigned" && after === null) return t("case.happened.unassigned");
  if (kind === "priority") {
    const named = (value: string | null) =>
      value === "S" || value === "A" || value === "R" ? t(`case.priority.${value}`) : "–";
    return t("case.happened.priority", { before: named(before), after: named(after) });
  }
  if (kind === "extemporane") {
    return t(after === "true" ? "case.happened.extemporane" : "case.happened.notExtemporane");
  }
  if (kind === "work_asked") {
    return t("case.happened.work_asked", {
      ...known,
      work: t(`case.work.${after as WorkOrder["kind"]}`),
    });
  }
  if (kind === "work_answered" && after === "withdrawn") {
    return t("case.happened.work_withdrawn", known);
  }
  if (kind === "work_answered") {
    return t("case.happened.work_answered", {
      ...known,
      answer: t(`case.workState.${after as WorkOrder["state"]}`),
    });
  }
  return t(`case.happened.${kind as "assigned"}`, { ...known, defaultValue: kind });
}

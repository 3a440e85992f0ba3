import { Skeleton } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { CaseRow } from "../../api/worklists";
import { birthNameOf, usedNameOf } from "../../core/patient";
import { IdentityMarks } from "../patient/IdentityMarks";
import { BirthDate, sexKey } from "../patient/PatientBanner";
import { casePath, followLink, navigate } from "../route";
import { PauseIcon, PersonIcon } from "../shell/icons";
import { useNow } from "../shell/useNow";
import { CaseMark } from "./CaseMark";
import styles from "./CaseTable.module.css";
import { DueTime } from "./DueTime";
import { ScanCount } from "./ScanCount";

interface CaseTableProps {
  readonly rows: readonly CaseRow[];
  readonly pending: boolean;
  /** Shown while the next search is under way. */
  readonly stale: boolean;
  readonly current: string | null;
  readonly onAssign: ((row: CaseRow) => void) | null;
}

export function CaseTable(props: CaseTableProps) {
  const { t } = useTranslation();
  const { rows } = props;
  const runs = rows.some((row) => row.extemporane);
  const now = useNow(runs ? 1_000 : 30_000);
  const showsHeads = rows.length > 0 || props.pending;
  return (
    <table className={styles.table} data-stale={props.stale} aria-busy={props.pending}>
      {showsHeads && (
        <thead>
          <tr>
            <th className={styles.markColumn}>
              <span className="visually-hidden">{t("cases.column.priority")}</span>
            </th>
            <th className={styles.caseColumn}>{t("cases.column.case")}</th>
            <th>{t("cases.column.patient")}</th>
            <th className={styles.organColumn}>{t("cases.column.organ")}</th>
            <th className={styles.slidesColumn}>{t("cases.column.slides")}</th>
            <th className={styles.dueColumn}>{t("cases.column.due")}</th>
            <th className={styles.whoColumn}>{t("cases.column.who")}</th>
          </tr>
        </thead>
      )}
      <tbody>
        {props.pending && <Waiting />}
        {rows.map((row) => (
          <Row
            key={row.id}
            row={row}
            now={now}
            current={row.id === props.current}
            onAssign={props.onAssign}
          />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: {
  readonly row: CaseRow;
  readonly now: number;
  readonly current: boolean;
  readonly onAssign: ((row: CaseRow) => void) | null;
}) {
  const { t } = useTranslation();
  const { row, now, current, onAssign } = props;
  const element = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (current) element.current?.scrollIntoView({ block: "nearest" });
  }, [current]);
  const who = row.pathologist?.name ?? row.group?.name ?? null;

  return (
    <tr
      ref={element}
      className={styles.row}
      aria-selected={current}
      data-extemporane={row.extemporane}
      data-testid="case-row"
      data-case={row.id}
      data-accession={row.accession_number}
      onClick={(event) => {
        const target = event.target as HTMLElement;
        if (!target.closest("a, button")) navigate(casePath(row.id));
      }}
    >
      <td>
        <CaseMark extemporane={row.extemporane} priority={row.priority} />
      </td>
      <td>
        <a className={styles.accession} href={casePath(row.id)} onClick={followLink}>
          {row.accession_number}
        </a>
        <div className={styles.state} data-state={row.state}>
          {t(`cases.state.${row.state}`)}
        </div>
      </td>
      <td>
        <PatientCell row={row} />
        {row.held_at && (
          <div className={styles.held} data-testid="hold-reason">
            <PauseIcon />
            <span title={row.hold_reason ?? ""}>
              {t("case.held", { reason: row.hold_reason ?? "" })}
            </span>
          </div>
        )}
      </td>
      <td>
        <div className={styles.organ} title={row.organs.join(", ")}>
          {row.organs.join(", ") || "–"}
        </div>
        <div className={styles.stains} title={row.stains.join(", ")}>
          {row.stains.join(", ")}
        </div>
      </td>
      <td>
        <ScanCount scanned={row.scanned} expected={row.expected} rescans={row.rescans} />
      </td>
      <td>
        <DueTime row={row} now={now} />
      </td>
      <td>
        {onAssign ? (
          <button
            type="button"
            className={styles.who}
            data-nobody={who === null}
            aria-label={t("cases.assignName", { name: row.accession_number })}
            onClick={() => onAssign(row)}
            data-testid="assign"
          >
            <PersonIcon />
            <span>{who ?? t("cases.assign")}</span>
          </button>
        ) : (
          <span className={styles.whoText}>{who ?? "–"}</span>
        )}
      </td>
    </tr>
  );
}

/** Two lines: who, and what tells one person from another of the same name. */
function PatientCell(props: { readonly row: CaseRow }) {
  const { t } = useTranslation();
  const { patient } = props.row;
  if (!patient) return <span className={styles.nobody}>{t("patient.nobodyShort")}</span>;
  const used = usedNameOf(patient);
  return (
    <div className={styles.patient}>
      <div className={styles.patientName}>
        <span className={styles.name}>{birthNameOf(patient) ?? t("patient.nameUnknown")}</span>
        {used && <span className={styles.used}>{t("patient.usedShort", { name: used })}</span>}
        <IdentityMarks patient={patient} short />
      </div>
      <div className={styles.patientFacts}>
        <BirthDate patient={patient} />
        <span title={t(`patient.sexes.${sexKey(patient.sex)}`)}>
          {t(`patient.sexShort.${sexKey(patient.sex)}`)}
        </span>
        {patient.ipp && (
          <span>
            {t("patient.ipp")} {patient.ipp}
          </span>
        )}
      </div>
    </div>
  );
}

function Waiting() {
  return Array.from({ length: 6 }, (_, index) => (
    <tr key={index} className={styles.waiting}>
      <td colSpan={7}>
        <Skeleton height={38} radius={4} />
      </td>
    </tr>
  ));
}

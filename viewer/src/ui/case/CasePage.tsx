import { Loader } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCase, type Glass } from "../../api/cases";
import { ApiProblem } from "../../api/client";
import { useLiveEvents } from "../../api/queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n";
import { PatientBanner } from "../patient/PatientBanner";
import { casePath, casesPath, followLink } from "../route";
import { Notice } from "../shell/Notice";
import { TopBar } from "../shell/TopBar";
import { CaseHead } from "./CaseHead";
import styles from "./CasePage.module.css";
import { CaseSide } from "./CaseSide";
import { RescanDialogue } from "./RescanDialogue";
import { SpecimenTree } from "./SpecimenTree";
import { WorkDialogue } from "./WorkDialogue";

/** One case: whose it is, what it is made of, what is to be done. */
export function CasePage(props: {
  readonly id: string;
  /** Other cases that were asked for with it. */
  readonly also: readonly string[];
  readonly session: Session;
}) {
  const { t } = useTranslation();
  const connected = useLiveEvents(useLanguage());
  const found = useCase(props.id);
  const [rescanned, setRescanned] = useState<Glass | null>(null);
  const [worked, setWorked] = useState<string | null>(null);
  const mayRead = props.session.permissions.includes("read_cases");
  const shown = found.data;
  const number = shown?.accession_number;

  // The laboratory's number, and nothing of the patient: titles are kept by browsers.
  useEffect(() => {
    if (!number) return undefined;
    const before = document.title;
    document.title = `${number} – ${t("product.short")}`;
    return () => {
      document.title = before;
    };
  }, [number, t]);

  return (
    <div className={styles.screen}>
      <TopBar session={props.session} connected={connected} />
      {found.isError && !shown && <Missing error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && (
        <div className={styles.waiting} role="status">
          <Loader color="dark.2" size="sm" />
        </div>
      )}
      {shown && (
        <main data-testid="case" data-state={shown.state}>
          <div className={styles.banner}>
            <PatientBanner patient={shown.patient} />
          </div>
          <div className={styles.page}>
            {props.also.length > 0 && <Also id={props.id} also={props.also} />}
            <CaseHead shown={shown} session={props.session} />
            <div className={styles.columns}>
              <SpecimenTree
                shown={shown}
                onRescan={mayRead ? setRescanned : null}
                onWork={mayRead ? setWorked : null}
              />
              <CaseSide
                shown={shown}
                mayAsk={mayRead}
                mayCompare={props.session.role !== "guest"}
              />
            </div>
          </div>
          {rescanned && (
            <RescanDialogue
              id={shown.id}
              glass={rescanned}
              sent={shown.links.orders}
              onClose={() => setRescanned(null)}
            />
          )}
          {worked && (
            <WorkDialogue
              id={shown.id}
              block={worked}
              sent={shown.links.orders}
              onClose={() => setWorked(null)}
            />
          )}
        </main>
      )}
    </div>
  );
}

function Also(props: { readonly id: string; readonly also: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <nav className={styles.also} data-testid="also">
      {t("case.also")}
      {props.also.map((id) => (
        <OtherCase
          key={id}
          id={id}
          also={[props.id, ...props.also.filter((each) => each !== id)]}
        />
      ))}
    </nav>
  );
}

function OtherCase(props: { readonly id: string; readonly also: readonly string[] }) {
  const { t } = useTranslation();
  const other = useCase(props.id);
  return (
    <a href={casePath(props.id, props.also)} onClick={followLink}>
      {other.data?.accession_number ?? t("case.other")}
    </a>
  );
}

function Missing(props: { readonly error: Error; readonly retry: () => void }) {
  const { t } = useTranslation();
  const missing = props.error instanceof ApiProblem && props.error.status === 404;
  const error = missing ? new ApiProblem(404, "", t("case.notFound")) : props.error;
  return (
    <Notice error={error} {...(missing ? {} : { onRetry: props.retry })}>
      <a href={casesPath()} onClick={followLink}>
        {t("case.back")}
      </a>
    </Notice>
  );
}

import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";

import {
  useAcceptIncident,
  useIncidents,
  useVerifySlide,
  type Incident,
} from "../../api/integrity";
import { shortName } from "../../core/integrity";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import { Notice } from "../shell/Notice";
import { sentenceFor } from "../shell/problem";
import styles from "./IntegrityTab.module.css";

/** What was found, open ones first; who may, says that it is known, or has it looked at again. */
export function IncidentsSection(props: { readonly mayChange: boolean }) {
  const { t } = useTranslation();
  const incidents = useIncidents();
  const accept = useAcceptIncident();
  const verify = useVerifySlide();
  const problem = accept.error ?? verify.error;
  if (incidents.isError && !incidents.data) {
    return <Notice error={incidents.error} onRetry={() => void incidents.refetch()} />;
  }
  if (!incidents.data) return null;
  const { items } = incidents.data;
  return (
    <section>
      <h2 className={styles.heading}>{t("integrity.incidents")}</h2>
      {problem && (
        <p className={styles.problem} role="alert">
          {sentenceFor(problem, t)}
        </p>
      )}
      {items.length === 0 ? (
        <p className={styles.hint}>{t("integrity.none")}</p>
      ) : (
        <ul className={styles.incidents}>
          {items.map((incident) => (
            <IncidentRow
              key={incident.id}
              incident={incident}
              asked={verify.isSuccess && verify.variables === incident.slide_id}
              onAccept={props.mayChange ? () => accept.mutate(incident.id) : null}
              onVerify={props.mayChange ? (slide) => verify.mutate(slide) : null}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function IncidentRow(props: {
  readonly incident: Incident;
  readonly asked: boolean;
  readonly onAccept: (() => void) | null;
  readonly onVerify: ((slide: string) => void) | null;
}) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { incident, onVerify, onAccept } = props;
  const slide = incident.slide_id;
  const standing = incident.state === "open" || incident.state === "accepted";
  return (
    <li className={styles.incident} data-state={incident.state} data-testid="incident">
      <div className={styles.what}>
        <p className={styles.damage}>
          <span className={styles.state}>{t(`integrity.state.${incident.state}`)}</span>
          <span>
            {t(`integrity.damage.${incident.damage}`)}{" "}
            <span className={styles.place}>{t(`integrity.place.${incident.place}`)}</span>
          </span>
        </p>
        <p className={styles.object}>{shortName(incident.object)}</p>
        <p className={styles.hint}>
          {t(`integrity.found.${incident.found_by}`, {
            moment: formatMoment(incident.found_at, language),
          })}
          {incident.ended_at &&
            ` ${t(`integrity.ended.${incident.state === "open" ? "repaired" : incident.state}`, {
              moment: formatMoment(incident.ended_at, language),
            })}`}
          {incident.quarantined && ` ${t("integrity.evidence")}`}
        </p>
      </div>
      <div className={styles.buttons}>
        {slide && incident.state !== "gone" && (
          <Button
            component="a"
            href={slidePath(slide)}
            onClick={followLink}
            variant="subtle"
            color="gray"
            size="xs"
          >
            {t("integrity.open")}
          </Button>
        )}
        {standing && slide && onVerify && (
          <Button
            variant="default"
            size="xs"
            disabled={props.asked}
            onClick={() => onVerify(slide)}
          >
            {t(props.asked ? "integrity.asked" : "integrity.verify")}
          </Button>
        )}
        {incident.state === "open" && onAccept && (
          <Button variant="default" size="xs" onClick={onAccept}>
            {t("integrity.accept")}
          </Button>
        )}
      </div>
    </li>
  );
}

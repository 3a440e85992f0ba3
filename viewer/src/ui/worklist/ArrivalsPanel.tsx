import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useArrivals, useRetryArrival } from "../../api/queries";
import { canRetry, needsPerson, toneOf } from "../../core/arrivals";
import { formatBytes, formatPercent } from "../../core/text";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import styles from "./ArrivalsPanel.module.css";
import { useArrivalRows, type ArrivalRow } from "./useArrivalRows";
import { useHandsOn } from "./useHandsOn";

export function ArrivalsPanel(props: { readonly live: boolean }) {
  const { t } = useTranslation();
  const arrivals = useArrivals(props.live);
  const [list, handsOn] = useHandsOn<HTMLUListElement>();
  const rows = useArrivalRows(arrivals.data, handsOn);
  const toLookAt = rows.filter((row) => needsPerson(row.arrival.state)).length;

  return (
    <aside className={styles.panel} aria-label={t("arrivals.title")} data-testid="arrivals">
      <header className={styles.head}>
        <h2>{t("arrivals.title")}</h2>
        <span className={styles.count} data-testid="arrivals-to-look-at">
          {toLookAt > 0 && t("arrivals.needPerson", { count: toLookAt })}
        </span>
      </header>
      {rows.length === 0 && (
        <div className={styles.none} role="status">
          <p>{arrivals.isError ? t("arrivals.failed") : t("arrivals.none")}</p>
          {!arrivals.isError && <p className={styles.hint}>{t("arrivals.noneHint")}</p>}
        </div>
      )}
      <ul className={styles.rows} ref={list}>
        {rows.map((row) => (
          <Row key={row.arrival.id} row={row} />
        ))}
      </ul>
    </aside>
  );
}

function Row(props: { readonly row: ArrivalRow }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const retry = useRetryArrival();
  const { arrival, phase } = props.row;
  const tone = toneOf(arrival.state);
  const share = tone === "done" ? 1 : arrival.progress;
  return (
    <li
      className={styles.row}
      data-testid="arrival"
      data-state={arrival.state}
      data-tone={tone}
      data-phase={phase}
    >
      <div className={styles.inner}>
        <div className={styles.line}>
          <span className={styles.name} title={arrival.file_name}>
            {arrival.file_name}
          </span>
          <span className={styles.size}>{formatBytes(arrival.size_bytes, language)}</span>
        </div>
        <div className={styles.line}>
          <span className={styles.state}>
            <i className={styles.dot} />
            {t(`state.${arrival.state}`)}
          </span>
          {tone === "busy" && (
            <span className={styles.percent}>{formatPercent(arrival.progress, language)}</span>
          )}
          {canRetry(arrival.state) && (
            <button
              type="button"
              className={styles.action}
              aria-label={t("arrivals.retryName", { name: arrival.file_name })}
              disabled={retry.isPending}
              onClick={() => retry.mutate(arrival.id)}
              data-testid="arrival-retry"
            >
              {t("arrivals.retry")}
            </button>
          )}
          {tone === "done" && arrival.slide && (
            <a
              className={styles.action}
              href={slidePath(arrival.slide)}
              aria-label={t("arrivals.openName", { name: arrival.file_name })}
              onClick={followLink}
            >
              {t("arrivals.open")}
            </a>
          )}
        </div>
        {arrival.reason && tone !== "busy" ? (
          <Tooltip
            label={arrival.reason}
            multiline
            maw={320}
            position="left"
            openDelay={500}
            events={{ hover: true, focus: true, touch: true }}
          >
            <p className={styles.reason} tabIndex={0}>
              {arrival.reason}
            </p>
          </Tooltip>
        ) : (
          <div
            className={styles.track}
            role="progressbar"
            aria-label={t("arrivals.progress", { name: arrival.file_name })}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(share * 100)}
          >
            <div className={styles.fill} style={{ transform: `scaleX(${share})` }} />
          </div>
        )}
      </div>
    </li>
  );
}

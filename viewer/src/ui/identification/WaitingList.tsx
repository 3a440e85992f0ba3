import type { RefObject } from "react";
import { useTranslation } from "react-i18next";

import type { Unidentified } from "../../api/identification";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { followLink, identificationPath } from "../route";
import styles from "./IdentificationPage.module.css";

/** Scans without a glass, newest first; one tab stop. */
export function WaitingList(props: {
  readonly items: readonly Unidentified[];
  readonly chosen: Unidentified | undefined;
  readonly list: RefObject<HTMLUListElement | null>;
}) {
  return (
    <ul ref={props.list}>
      {props.items.map((each) => (
        <Entry key={each.slide_id} shown={each} current={each === props.chosen} />
      ))}
    </ul>
  );
}

function Entry(props: { readonly shown: Unidentified; readonly current: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { shown } = props;
  return (
    <li>
      <a
        className={styles.entry}
        href={identificationPath(shown.slide_id)}
        aria-current={props.current ? "true" : undefined}
        tabIndex={props.current ? 0 : -1}
        onClick={followLink}
        data-entry
        data-testid="to-identify"
        data-reason={shown.reason}
      >
        <strong>{titleOf(shown, t("identify.nothingRead"))}</strong>
        <span className={styles.trouble}>{t(`identify.reason.${shown.reason}`)}</span>
        <span className={styles.when}>{formatMoment(shown.published_at, language)}</span>
      </a>
    </li>
  );
}

/** What was read of a slide; of a patient's code alone, the file. */
function titleOf(shown: Unidentified, nothing: string): string {
  if (shown.codes.length === 0) return nothing;
  return shown.codes.find((code) => code !== null) ?? shown.file_name;
}

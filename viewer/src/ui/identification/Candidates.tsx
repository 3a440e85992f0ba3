import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import {
  useAttach,
  useCandidates,
  useGlassSearch,
  type Candidate,
  type Doubt,
  type Unidentified,
} from "../../api/identification";
import { formatBirthDate } from "../../core/patient";
import { sexKey } from "../patient/PatientBanner";
import { dialogueStyles, FormDialogue } from "../shell/FormDialogue";
import { SearchIcon } from "../shell/icons";
import { sentenceFor } from "../shell/problem";
import styles from "./Candidates.module.css";

/** The glasses it could be, the likeliest first, and any other by its number. */
export function Candidates(props: {
  readonly shown: Unidentified;
  readonly onAttached: () => void;
}) {
  const { t } = useTranslation();
  const { shown } = props;
  const [words, setWords] = useState("");
  const [asked] = useDebouncedValue(words.trim(), 250);
  const likely = useCandidates(shown.slide_id);
  const search = useGlassSearch(asked, shown.slide_id);
  const searching = asked.length >= 2;
  const items = (searching ? search.data?.items : likely.data?.items) ?? [];
  const pending = searching ? search.isPending : likely.isPending;
  const problem = searching ? search.error : likely.error;

  return (
    <aside className={styles.panel} aria-label={t("identify.candidates")}>
      <div className={styles.search} role="search">
        <SearchIcon />
        <input
          type="search"
          value={words}
          placeholder={t("identify.search")}
          aria-label={t("identify.search")}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setWords(event.currentTarget.value)}
          data-testid="glass-search"
        />
      </div>
      <h2>{t(searching ? "identify.found" : "identify.candidates")}</h2>
      {problem && (
        <p className={styles.problem} role="alert">
          {sentenceFor(problem, t)}
        </p>
      )}
      {!pending && !problem && items.length === 0 && (
        <p className={styles.none}>
          {t(searching ? "identify.notFound" : "identify.noCandidate")}
        </p>
      )}
      <ul className={styles.list}>
        {items.map((each) => (
          <Choice
            key={each.glass_id}
            shown={shown}
            candidate={each}
            onAttached={props.onAttached}
          />
        ))}
      </ul>
    </aside>
  );
}

/** One glass, whose it is, and what choosing it will do: all of it before the click. */
function Choice(props: {
  readonly shown: Unidentified;
  readonly candidate: Candidate;
  readonly onAttached: () => void;
}) {
  const { t } = useTranslation();
  const attach = useAttach(props.onAttached);
  const [confirming, setConfirming] = useState(false);
  const { candidate, shown } = props;
  const { birth_date: born } = candidate;
  const read = shown.codes.filter((code) => code !== null);
  const doubts = toBeAsked(candidate, read.length > 0);
  const choose = (): void => {
    setConfirming(false);
    attach.mutate({
      slide: shown.slide_id,
      glass: candidate.glass_id,
      confirmed: candidate.doubts,
    });
  };
  return (
    <li
      className={styles.choice}
      data-living={candidate.is_living}
      data-testid="candidate"
      data-glass={candidate.identifier}
    >
      <div className={styles.head}>
        <strong>{candidate.identifier}</strong>
        <span className={styles.why}>
          {t(`identify.because.${candidate.why}`, { count: candidate.distance ?? 1 })}
        </span>
      </div>
      {candidate.was_refused && (
        <p className={styles.problem} data-testid="refused-before">
          {t("identify.refusedBefore")}
        </p>
      )}
      <p className={styles.patient}>
        {candidate.patient_name ?? t("patient.nobodyShort")}
        {born && ` · ${formatBirthDate(born)}`}
        {candidate.patient_id && ` · ${t(`patient.sexes.${sexKey(candidate.sex)}`)}`}
      </p>
      <p className={styles.facts}>
        {candidate.accession_number
          ? t("identify.ofCase", { name: candidate.accession_number })
          : t("identify.noCase")}
        {candidate.stains.length > 0 && ` · ${candidate.stains.join(", ")}`}
      </p>
      {candidate.code_says && (
        <p
          className={candidate.code_says === "another" ? styles.problem : styles.facts}
          data-testid="code-says"
          data-whose={candidate.code_says}
        >
          {t(`identify.codeSays.${candidate.code_says}`)}
        </p>
      )}
      {candidate.is_living && (
        <>
          <p className={styles.will}>{t("identify.will")}</p>
          <ul className={styles.effects} data-testid="effects">
            {candidate.will.map((effect) => (
              <li key={effect}>
                {t(`identify.effect.${effect}`, {
                  case: candidate.accession_number,
                  count: candidate.scans,
                })}
              </li>
            ))}
          </ul>
        </>
      )}
      {attach.isError && (
        <p className={styles.problem} role="alert">
          {sentenceFor(attach.error, t)}
        </p>
      )}
      {candidate.is_living ? (
        <Button
          variant="default"
          fullWidth
          className={styles.choose ?? ""}
          loading={attach.isPending}
          onClick={doubts.length > 0 ? () => setConfirming(true) : choose}
          data-testid="attach"
        >
          {t("identify.choose", { name: candidate.identifier })}
        </Button>
      ) : (
        <p className={styles.problem}>{t("identify.cancelled")}</p>
      )}
      {confirming && (
        <FormDialogue
          title={t(
            doubts.length === 1 && doubts[0] === "signed_out"
              ? "identify.signedOutTitle"
              : "identify.sureTitle",
          )}
          submit={t("identify.choose", { name: candidate.identifier })}
          onSubmit={choose}
          onClose={() => setConfirming(false)}
          grave={doubts.some((doubt) => GRAVE.includes(doubt))}
          testid="attach-dialogue"
          submitTestid="attach-signed-out"
        >
          {doubts.map((doubt) => (
            <p key={doubt} className={GRAVE.includes(doubt) ? dialogueStyles.problem : dialogueStyles.warning} data-testid={`doubt-${doubt}`}>
              {doubt === "not_named" && read.length > 0
                ? t("identify.readOther", { read: read.join(", ") })
                : t(`identify.doubt.${doubt}`, { case: candidate.accession_number })}
            </p>
          ))}
          <div className={styles.subject}>
            <strong>
              {candidate.patient_name ?? t("patient.nobodyShort")}
              {born && ` · ${formatBirthDate(born)}`}
              {candidate.patient_id && ` · ${t(`patient.sexes.${sexKey(candidate.sex)}`)}`}
            </strong>
            <span>
              {candidate.accession_number
                ? t("identify.ofCase", { name: candidate.accession_number })
                : t("identify.noCase")}
              {` · ${candidate.identifier}`}
            </span>
          </div>
        </FormDialogue>
      )}
    </li>
  );
}

/** What would most likely be a mistake. */
const GRAVE: readonly Doubt[] = ["another_patient", "another_glass"];

/** What is to be confirmed here: that the label is silent is known to whoever typed the number. */
function toBeAsked(candidate: Candidate, isRead: boolean): readonly Doubt[] {
  return candidate.doubts.filter(
    (doubt) => doubt !== "not_named" || candidate.why !== "found" || isRead,
  );
}

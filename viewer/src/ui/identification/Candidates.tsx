import { Button, Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import {
  useAttach,
  useCandidates,
  useGlassSearch,
  type Candidate,
  type Unidentified,
} from "../../api/identification";
import { formatBirthDate } from "../../core/patient";
import { sexKey } from "../patient/PatientBanner";
import { SearchIcon } from "../shell/icons";
import { sentenceFor } from "../shell/problem";
import styles from "./Candidates.module.css";

/** The glasses it could be, the likeliest first, and any other by its number. */
export function Candidates(props: { readonly shown: Unidentified }) {
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
          <Choice key={each.glass_id} slide={shown.slide_id} candidate={each} />
        ))}
      </ul>
    </aside>
  );
}

/** One glass, whose it is, and what choosing it will do: all of it before the click. */
function Choice(props: { readonly slide: string; readonly candidate: Candidate }) {
  const { t } = useTranslation();
  const attach = useAttach();
  const [confirming, setConfirming] = useState(false);
  const { candidate } = props;
  const { birth_date: born } = candidate;
  const doubts = doubtsOf(candidate);
  const choose = (): void => {
    setConfirming(false);
    attach.mutate({ slide: props.slide, glass: candidate.glass_id });
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
        <Modal
          opened
          onClose={() => setConfirming(false)}
          title={t(doubts.length === 1 && doubts[0] === "signedOut" ? "identify.signedOutTitle" : "identify.sureTitle")}
          closeButtonProps={{ "aria-label": t("panel.close") }}
          size={520}
          centered
        >
          {doubts.map((doubt) => (
            <p key={doubt} data-testid={`doubt-${doubt}`}>
              {t(`identify.${doubt}Text`, { case: candidate.accession_number })}
            </p>
          ))}
          <p className={styles.patient}>
            {candidate.patient_name ?? t("patient.nobodyShort")}
            {born && ` · ${formatBirthDate(born)}`}
          </p>
          <p className={styles.facts}>
            {candidate.accession_number
              ? t("identify.ofCase", { name: candidate.accession_number })
              : t("identify.noCase")}
            {` · ${candidate.identifier}`}
          </p>
          <div className={styles.buttons}>
            <Button variant="default" onClick={() => setConfirming(false)}>
              {t("retention.cancel")}
            </Button>
            <Button onClick={choose} data-autofocus data-testid="attach-signed-out">
              {t("identify.choose", { name: candidate.identifier })}
            </Button>
          </div>
        </Modal>
      )}
    </li>
  );
}

type Doubt = "anotherPatient" | "expected" | "signedOut";

/** What makes a choice one to be asked for twice. */
function doubtsOf(candidate: Candidate): readonly Doubt[] {
  const doubts: Doubt[] = [];
  if (candidate.code_says === "another") doubts.push("anotherPatient");
  if (candidate.why === "expected") doubts.push("expected");
  if (candidate.will.includes("change_signed_out")) doubts.push("signedOut");
  return doubts;
}

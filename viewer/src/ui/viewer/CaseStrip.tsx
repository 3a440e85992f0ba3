import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { usePrefetchSlides } from "../../api/queries";
import type { Session, Slide } from "../../api/types";
import { glassOfScan, scansInOrder } from "../../core/caseSlides";
import { sidesOf } from "../../core/cases";
import { SglLinks } from "../case/SglLinks";
import { PatientBanner } from "../patient/PatientBanner";
import { casePath, followLink, identificationPath, navigate, slidePath } from "../route";
import { BackIcon, ForwardIcon, UnknownIcon } from "../shell/icons";
import styles from "./CaseStrip.module.css";
import { useSlideCase } from "./useSlideCase";

/** Whose slide this is, which of the case's, and the way to the others. */
export function CaseStrip(props: { readonly slide: Slide; readonly session: Session }) {
  return props.session.permissions.includes("view_cases") ? <Known {...props} /> : null;
}

function Known(props: { readonly slide: Slide; readonly session: Session }) {
  const { t } = useTranslation();
  const { slide, session } = props;
  const { living, isUnidentified, shown } = useSlideCase(slide.id, session);
  const order = shown ? scansInOrder(shown) : [];
  const sides = sidesOf(order, slide.id);
  usePrefetchSlides([sides.after, sides.before]);
  useStepKeys(sides.before, sides.after);

  if (isUnidentified) {
    return (
      <div className={styles.strip} data-unknown data-testid="case-strip">
        <UnknownIcon />
        <span>{t("viewer.unidentified")}</span>
        {session.permissions.includes("identify_slides") && (
          <a href={identificationPath(slide.id)} onClick={followLink} data-testid="identify-this">
            {t("viewer.identify")}
          </a>
        )}
      </div>
    );
  }
  if (living && !living.case_id) {
    return (
      <div className={styles.strip} data-unknown data-testid="case-strip">
        <UnknownIcon />
        <span>{t("viewer.noCase", { name: living.glass_identifier })}</span>
      </div>
    );
  }
  if (!shown) return <div className={styles.strip} data-testid="case-strip" />;
  const stain = glassOfScan(shown, slide.id)?.glass.stain;
  return (
    <div className={styles.strip} data-testid="case-strip">
      <a className={styles.case} href={casePath(shown.id)} onClick={followLink} data-testid="to-case">
        {shown.accession_number}
      </a>
      <div className={styles.patient}>
        <PatientBanner patient={shown.patient} slim />
      </div>
      <SglLinks id={shown.id} session={session} />
      {stain && <span className={styles.stain} title={stain}>{stain}</span>}
      <nav className={styles.steps} aria-label={t("viewer.slidesOfCase")}>
        <Step name={t("viewer.previousSlide")} to={sides.before} testId="previous-slide">
          <BackIcon />
        </Step>
        <span data-testid="slide-place">
          {sides.place ?? "–"}/{sides.count}
        </span>
        <Step name={t("viewer.nextSlide")} to={sides.after} testId="next-slide">
          <ForwardIcon />
        </Step>
      </nav>
    </div>
  );
}

function Step(props: {
  readonly name: string;
  readonly to: string | null;
  readonly testId: string;
  readonly children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-label={props.name}
      title={props.name}
      disabled={props.to === null}
      onClick={() => go(props.to)}
      data-testid={props.testId}
    >
      {props.children}
    </button>
  );
}

/** In place of the slide shown, so that going back leads to where the case was opened from. */
function go(slide: string | null): void {
  if (slide !== null) navigate(slidePath(slide), { replace: true });
}

/** `n` and `p` go to the next and the previous slide of the case. */
function useStepKeys(before: string | null, after: string | null): void {
  const latest = useRef({ before, after });
  useEffect(() => {
    latest.current = { before, after };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target?.closest("input, textarea, select, [role=dialog]")) return;
      const key = event.key.toLowerCase();
      if (key === "n") go(latest.current.after);
      if (key === "p") go(latest.current.before);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

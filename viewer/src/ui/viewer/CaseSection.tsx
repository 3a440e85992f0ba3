import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Session, Slide } from "../../api/types";
import { glassOfScan } from "../../core/caseSlides";
import { RescanDialogue } from "../case/RescanDialogue";
import { WorkDialogue } from "../case/WorkDialogue";
import { RescanIcon } from "../shell/icons";
import styles from "./SlidePanel.module.css";
import { useSlideCase } from "./useSlideCase";

/** What the laboratory says that this slide is, and what can be asked of it from here. */
export function CaseSection(props: { readonly slide: Slide; readonly session: Session }) {
  const { t } = useTranslation();
  const { slide, session } = props;
  const { shown } = useSlideCase(slide.id, session);
  const [asking, setAsking] = useState<"work" | "rescan" | null>(null);
  const found = shown && glassOfScan(shown, slide.id);
  if (!found) return null;
  const { glass, block } = found;
  const older = glass.scans.some((scan) => scan.slide_id === slide.id && !scan.current);
  const mayAsk = session.permissions.includes("read_cases") && !glass.cancelled;
  return (
    <section className={styles.case} data-testid="case-section">
      <h2 className={styles.heading}>{t("viewer.glass")}</h2>
      <p>
        <strong>{glass.identifier}</strong>
        {glass.stain && ` · ${glass.stain}`}
      </p>
      {older && <p className={styles.older}>{t("viewer.olderScan")}</p>}
      {glass.cancelled && <p className={styles.older}>{t("case.cancelled")}</p>}
      {glass.rescan_asked_at && (
        <p className={styles.older}>
          <RescanIcon />
          {t("case.rescanAsked", { reason: glass.rescan_reason ?? "" })}
        </p>
      )}
      {mayAsk && (
        <div className={styles.asks}>
          {block.identifier && (
            <button type="button" onClick={() => setAsking("work")} data-testid="viewer-ask-work">
              {t("case.askWork")}
            </button>
          )}
          {!glass.rescan_asked_at && (
            <button type="button" onClick={() => setAsking("rescan")} data-testid="viewer-ask-rescan">
              {t("case.rescan")}
            </button>
          )}
        </div>
      )}
      {asking === "work" && block.identifier && (
        <WorkDialogue
          id={shown.id}
          block={block.identifier}
          sent={shown.links.orders}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === "rescan" && (
        <RescanDialogue
          id={shown.id}
          glass={glass}
          sent={shown.links.orders}
          onClose={() => setAsking(null)}
        />
      )}
    </section>
  );
}

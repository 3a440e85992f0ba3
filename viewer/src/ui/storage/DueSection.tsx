import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useDueSlides, type DueSlide } from "../../api/retention";
import { formatDate } from "../../core/retention";
import { formatBytes } from "../../core/text";
import { useLanguage } from "../../i18n";
import { followLink, slidePath } from "../route";
import { Notice } from "../shell/Notice";
import { AskDialogue } from "./AskDialogue";
import styles from "./RetentionTab.module.css";

/** Slides whose retention has ended, for review: whoever looks decides, nothing goes by itself. */
export function DueSection(props: { readonly mayAsk: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const due = useDueSlides();
  const [asking, setAsking] = useState<DueSlide | null>(null);

  return (
    <section data-testid="due">
      <h2 className={styles.heading}>{t("retention.due")}</h2>
      {due.isError && !due.data && (
        <Notice error={due.error} onRetry={() => void due.refetch()} />
      )}
      {due.data?.items.length === 0 && <p className={styles.hint}>{t("retention.dueNone")}</p>}
      {due.data && due.data.items.length > 0 && (
        <div className={styles.scroll}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th>{t("retention.slide")}</th>
                <th>{t("retention.published")}</th>
                <th>{t("retention.keptUntil")}</th>
                <th className={styles.number}>{t("retention.size")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {due.data.items.map((slide) => (
                <tr key={slide.id}>
                  <td>
                    <a href={slidePath(slide.id)} onClick={followLink}>
                      {slide.file_name}
                    </a>
                  </td>
                  <td>{formatDate(slide.published_at, language)}</td>
                  <td>{formatDate(slide.kept_until, language)}</td>
                  <td className={styles.number}>{formatBytes(slide.size_bytes, language)}</td>
                  <td className={styles.action}>
                    {slide.held && <span className={styles.held}>{t("retention.held")}</span>}
                    {slide.destruction_id && (
                      <span className={styles.hint}>{t("retention.askedAlready")}</span>
                    )}
                    {!slide.held && !slide.destruction_id && props.mayAsk && (
                      <Button variant="default" size="xs" onClick={() => setAsking(slide)}>
                        {t("retention.ask")}
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {due.data?.next && <p className={styles.hint}>{t("retention.dueMore")}</p>}
      {asking && (
        <AskDialogue
          slide={asking.id}
          name={asking.file_name}
          keptUntil={asking.kept_until}
          onClose={() => setAsking(null)}
        />
      )}
    </section>
  );
}

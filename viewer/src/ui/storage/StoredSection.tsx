import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { capacityCsvAddress, type Capacity } from "../../api/capacity";
import { formatMonth, formatNumber, monthRows } from "../../core/capacity";
import { formatBytes } from "../../core/text";
import { useLanguage } from "../../i18n";
import styles from "./CapacityTab.module.css";

const RECENT = 12;

/** What is there, by the month in which it came. */
export function StoredSection(props: { readonly capacity: Capacity }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const [all, setAll] = useState(false);
  const rows = monthRows(props.capacity.items);
  const shown = all ? rows : rows.slice(0, RECENT);
  const { total } = props.capacity;
  const bytes = (value: number): string => (value === 0 ? "–" : formatBytes(value, language));
  return (
    <section className={styles.section} aria-labelledby="capacity-stored">
      <div className={styles.head}>
        <h2 id="capacity-stored">{t("capacity.stored")}</h2>
        <Button
          component="a"
          variant="default"
          size="xs"
          href={capacityCsvAddress(language)}
          download
          data-testid="capacity-csv"
        >
          {t("capacity.csv")}
        </Button>
      </div>
      <p className={styles.hint}>{t("capacity.storedHint")}</p>
      <div className={styles.scroll}>
        <table className={styles.table} data-testid="capacity-stored">
          <caption className="visually-hidden">{t("capacity.stored")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("capacity.month")}</th>
              <th scope="col">{t("capacity.slides")}</th>
              <th scope="col">{t("capacity.meanSize")}</th>
              <th scope="col">{t("capacity.warm")}</th>
              <th scope="col">{t("capacity.cold")}</th>
              <th scope="col">{t("capacity.total")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.month}>
                <th scope="row">{formatMonth(row.month, language)}</th>
                <td>{formatNumber(row.slides, language)}</td>
                <td>{row.slides > 0 ? bytes((row.warm + row.cold) / row.slides) : "–"}</td>
                <td>{bytes(row.warm)}</td>
                <td>{bytes(row.cold)}</td>
                <td>{bytes(row.warm + row.cold)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t("capacity.total")}</th>
              <td>{formatNumber(total.slides, language)}</td>
              <td>{total.slides > 0 ? bytes(total.size_bytes / total.slides) : "–"}</td>
              <td>{bytes(total.warm_bytes)}</td>
              <td>{bytes(total.cold_bytes)}</td>
              <td>{bytes(total.size_bytes)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
      {rows.length > RECENT && (
        <Button variant="subtle" color="gray" size="xs" onClick={() => setAll(!all)}>
          {all ? t("capacity.fewerMonths") : t("capacity.allMonths", { count: rows.length })}
        </Button>
      )}
    </section>
  );
}

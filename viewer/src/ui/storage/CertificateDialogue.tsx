import { Button, Loader, Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { certificateAddress, useCertificate, type Certificate } from "../../api/retention";
import { formatDate } from "../../core/retention";
import { formatBytes } from "../../core/text";
import { formatMoment } from "../../core/time";
import { useLanguage } from "../../i18n";
import { sentenceFor } from "../shell/problem";
import styles from "./Certificate.module.css";

/** The proof on one page, to be printed; the same as JSON, to be kept. */
export function CertificateDialogue(props: { readonly id: string; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const certificate = useCertificate(props.id);
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={t("certificate.title")}
      closeButtonProps={{ "aria-label": t("panel.close") }}
      size={760}
      classNames={{
        content: styles.content ?? "",
        header: styles.header ?? "",
        inner: styles.inner ?? "",
        overlay: styles.overlay ?? "",
      }}
    >
      {certificate.isPending && <Loader color="dark.2" size="sm" />}
      {certificate.isError && <p role="alert">{sentenceFor(certificate.error, t)}</p>}
      {certificate.data && (
        <>
          <Paper of={certificate.data} />
          <div className={styles.buttons}>
            <Button
              component="a"
              href={certificateAddress(props.id)}
              download={`destruction-${props.id}.json`}
              variant="default"
            >
              {t("certificate.json")}
            </Button>
            <Button onClick={() => window.print()}>{t("certificate.print")}</Button>
          </div>
        </>
      )}
    </Modal>
  );
}

function Paper(props: { readonly of: Certificate }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const told = props.of;
  const at = (iso: string): string => formatMoment(iso, language) ?? iso;
  const facts: ReadonlyArray<readonly [string, string]> = [
    [t("certificate.number"), told.id],
    [t("certificate.slide"), told.slide_id],
    [t("fact.study"), told.study_uid],
    [t("fact.series"), told.series_uid],
    [t("fact.sha256"), told.source_sha256],
    [t("retention.published"), formatDate(told.published_at, language)],
    [t("retention.keptUntil"), formatDate(told.kept_until, language)],
    [t("retention.ground"), t(`retention.grounds.${told.ground}`)],
    [t("retention.reason"), told.reason],
    [t("certificate.asked"), `${told.asked_by.name}, ${at(told.asked_at)}`],
    [t("certificate.approved"), `${told.approved_by.name}, ${at(told.approved_at)}`],
    [t("certificate.began"), at(told.began_at)],
    [t("certificate.done"), at(told.done_at)],
  ];
  return (
    <article className={styles.paper} data-testid="certificate">
      <p className={styles.establishment}>{told.establishment_name}</p>
      <h2>{t("certificate.title")}</h2>
      <p className={styles.statement}>
        {t("certificate.statement", {
          count: told.objects,
          size: formatBytes(told.size_bytes, language),
        })}
      </p>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <table>
        <thead>
          <tr>
            <th>{t("certificate.store")}</th>
            <th>{t("certificate.found")}</th>
            <th>{t("retention.size")}</th>
            <th>{t("certificate.left")}</th>
            <th>{t("certificate.listed")}</th>
          </tr>
        </thead>
        <tbody>
          {told.stores.map((store) => (
            <tr key={store.store}>
              <td>
                {t(`retention.store.${store.store}`)}
                {store.versioned && ` (${t("certificate.versions")})`}
              </td>
              <td>{store.objects}</td>
              <td>{formatBytes(store.size_bytes, language)}</td>
              <td>{store.left}</td>
              <td>{at(store.listed_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={styles.note}>
        {told.originals.still_in_use
          ? t("certificate.originalsInUse")
          : t("certificate.originals", {
              deleted: told.originals.deleted,
              left: told.originals.left_in_place,
            })}
      </p>
    </article>
  );
}

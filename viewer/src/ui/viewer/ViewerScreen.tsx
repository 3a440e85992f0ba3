import { Loader } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { ApiProblem } from "../../api/client";
import { useSlide } from "../../api/queries";
import type { Session } from "../../api/types";
import { leaveSlide } from "../route";
import { Notice } from "../shell/Notice";
import { Stage } from "./Stage";
import styles from "./Stage.module.css";

/** One slide, by its identifier: waits for what the server knows of it, then shows it. */
export function ViewerScreen(props: { readonly id: string; readonly session: Session }) {
  const { t } = useTranslation();
  const slide = useSlide(props.id);
  const name = slide.data?.file_name;

  useEffect(() => {
    if (!name) return undefined;
    const before = document.title;
    document.title = `${name} – ${t("product.short")}`;
    return () => {
      document.title = before;
    };
  }, [name, t]);

  if (slide.data) return <Stage key={slide.data.id} slide={slide.data} session={props.session} />;
  if (slide.isError) {
    const missing = slide.error instanceof ApiProblem && slide.error.status === 404;
    const error = missing ? new ApiProblem(404, "", t("viewer.notFound")) : slide.error;
    return (
      <Notice error={error} {...(missing ? {} : { onRetry: () => void slide.refetch() })}>
        <button type="button" className={styles.plain} onClick={leaveSlide}>
          {t("viewer.back")}
        </button>
      </Notice>
    );
  }
  return (
    <div className={styles.opening} role="status">
      <Loader color="dark.2" size="sm" />
      <span>{t("viewer.loading")}</span>
    </div>
  );
}

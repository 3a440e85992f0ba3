import { Loader } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useLaunch } from "../../api/cases";
import { navigate } from "../route";
import styles from "./LaunchScreen.module.css";
import { Notice } from "./Notice";

/** Another system asked for something by its own names: what that is here takes this page's place. */
export function LaunchScreen(props: { readonly query: string }) {
  const { t } = useTranslation();
  const launch = useLaunch(props.query);
  const path = launch.data?.path;
  useEffect(() => {
    // The names of the other system leave the history with it.
    if (path) navigate(path, { replace: true });
  }, [path]);
  if (launch.isError) {
    return (
      <Notice error={launch.error}>
        <button type="button" className={styles.home} onClick={() => navigate("/", { replace: true })}>
          {t("launch.home")}
        </button>
      </Notice>
    );
  }
  return (
    <div className={styles.opening} role="status">
      <Loader color="dark.2" size="sm" />
      <span>{t("launch.opening")}</span>
    </div>
  );
}

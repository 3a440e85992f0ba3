import { Button } from "@mantine/core";
import i18next from "i18next";
import { Component, type ReactNode } from "react";

import styles from "./Notice.module.css";

/** The last resort: a fault of ours is said, never shown as an empty screen. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div className={styles.notice} role="alert">
        <p>{i18next.t("error.broken")}</p>
        <Button variant="default" onClick={() => location.reload()}>
          {i18next.t("error.reload")}
        </Button>
      </div>
    );
  }
}
